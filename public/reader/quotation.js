// Finds a quotation in a page's text, whatever the line breaks, hyphens, ligatures and quotation marks between them.
// A page's text comes in pieces (one a run of letters, as pdf.js hands them over); what is found leads back to pieces.

const QUOTES = new Map([..."‘’‚‛′`"].map((mark) => [mark, "'"]).concat([..."“”„‟″«»"].map((mark) => [mark, '"'])));
const SPACE = /\s/u;
const HYPHEN = /[-\u00AD\u2010-\u2015\u2212]/u;
const NOTHING = /[\u200B-\u200D\u2060\uFEFF]/u;
const ACCENTS = /\p{M}/gu;

/**
 * The text of a page: white space is one space, a word broken over two lines is whole. `at` says for each letter where it
 * stands: which piece, and how far in it.
 */
export function pageText(pieces) {
  const letters = [];
  const at = { piece: [], offset: [] };
  const put = (letter, piece, offset) => {
    if (letter === " " && (letters.length === 0 || letters.at(-1) === " ")) return;
    letters.push(letter);
    at.piece.push(piece);
    at.offset.push(offset);
  };
  pieces.forEach(({ text, ends }, piece) => {
    for (let offset = 0; offset < text.length; offset += 1) {
      const letter = text[offset];
      if (NOTHING.test(letter) || letter === "\u00AD") continue;
      put(SPACE.test(letter) ? " " : letter, piece, offset);
    }
    if (!ends) return;
    if (/[-\u2010]/u.test(letters.at(-1) ?? "") && /\p{L}/u.test(letters.at(-2) ?? "") && /\p{Ll}/u.test(firstAfter(pieces, piece))) {
      for (const list of [letters, at.piece, at.offset]) list.pop();
    } else put(" ", piece, text.length);
  });
  return { text: letters.join(""), at };
}

function firstAfter(pieces, piece) {
  for (let next = piece + 1; next < pieces.length; next += 1) {
    const text = pieces[next].text.trimStart();
    if (text) return text[0];
  }
  return "";
}

/**
 * Letters to compare by, each with its place in the text. For a quotation only letters count (`tight`); what a person types
 * into the search keeps its spaces between words.
 */
export function fold(text, tight = false) {
  let key = "";
  const places = []; // one for each unit of the key, since some letters count two
  let place = 0;
  for (const letter of text) {
    const here = place;
    place += letter.length;
    if (NOTHING.test(letter) || letter === "\u00AD") continue;
    if (tight && (SPACE.test(letter) || HYPHEN.test(letter))) continue;
    let plain = QUOTES.get(letter) ?? (HYPHEN.test(letter) ? "-" : SPACE.test(letter) ? " " : letter);
    if (plain === " " && key.endsWith(" ")) continue;
    if (plain > "\u007F") plain = plain.normalize("NFKD").replace(ACCENTS, "");
    plain = plain.toLowerCase();
    key += plain;
    for (let unit = 0; unit < plain.length; unit += 1) places.push(here);
  }
  return { key, places };
}

/** All places of what a person searches for, as pairs of offsets into the text. */
export function places(text, wanted) {
  const { key, places: from } = fold(text);
  const sought = fold(wanted.trim()).key;
  const found = [];
  if (!sought) return found;
  for (let index = key.indexOf(sought); index >= 0; index = key.indexOf(sought, index + sought.length)) {
    found.push([from[index], endOf(text, from, index + sought.length)]);
  }
  return found;
}

/** The one place of a quotation: of several, the one whose surroundings are most alike. None where it is not there. */
export function locate(text, { exact, prefix = "", suffix = "" }) {
  const { key, places: from } = fold(text, true);
  const sought = fold(exact, true).key;
  if (!sought) return undefined;
  const before = fold(prefix, true).key;
  const after = fold(suffix, true).key;
  let best;
  for (let index = key.indexOf(sought); index >= 0; index = key.indexOf(sought, index + 1)) {
    const end = index + sought.length;
    let alike = 0;
    while (alike < before.length && key[index - 1 - alike] === before[before.length - 1 - alike]) alike += 1;
    for (let step = 0; step < after.length && key[end + step] === after[step]; step += 1) alike += 1;
    if (!best || alike > best.alike) best = { index, end, alike };
  }
  return best && [from[best.index], endOf(text, from, best.end)];
}

/** Where a stretch ends: behind its last letter, not at the next one that counts. */
const endOf = (text, from, index) => {
  const last = from[index - 1];
  return last + String.fromCodePoint(text.codePointAt(last)).length;
};

/** The parts of pieces between two offsets of a page's text. */
export function partsOf(at, start, end) {
  const parts = [];
  for (let index = start; index < end; index += 1) {
    const piece = at.piece[index];
    const offset = at.offset[index];
    const last = parts.at(-1);
    if (last?.piece === piece) last.to = offset + 1;
    else parts.push({ piece, from: offset, to: offset + 1 });
  }
  return parts;
}

/** The offset into a page's text of a place in a piece: the first letter that is not before it. */
export function offsetOf(at, piece, offset) {
  let index = 0;
  while (index < at.piece.length && (at.piece[index] < piece || (at.piece[index] === piece && at.offset[index] < offset))) index += 1;
  return index;
}

/** A quotation with what stands around it, 32 letters on either side. None where nothing but space was chosen. */
export function quote(text, start, end) {
  while (start < end && text[start] === " ") start += 1;
  while (end > start && text[end - 1] === " ") end -= 1;
  if (start === end) return undefined;
  return { exact: text.slice(start, end), prefix: text.slice(Math.max(0, start - 32), start), suffix: text.slice(end, end + 32), start, end };
}
