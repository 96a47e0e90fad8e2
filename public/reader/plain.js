// A text or a table (CSV) as one page. What is too long for a screen is cut, and it is said where.
import { Surface, make } from "./surface.js";

/** Most bytes that are read: more than is shown of any text, and of a table unless its rows are very long. */
const BYTES = 8 << 20;
/** Most letters of a text, and rows and columns of a table, that are shown. */
const LETTERS = 500_000;
const ROWS = 5000;
const COLUMNS = 100;

/** Bytes as text: UTF-8 or UTF-16 where they are that, else what old spreadsheets write. Of `part` of a file the last letter may be half. */
export function decode(bytes, part = false) {
  const [first, second] = new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength));
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes, { stream: part });
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes, { stream: part });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: part });
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/**
 * The rows of a CSV file (RFC 4180), at most `most`. The separator is the one that the first line has most of. Of `part` of a
 * file the last row may be half, and is left out unless it is the only one.
 */
export function rowsOf(text, most, part = false) {
  const line = text.slice(0, text.search(/\r|\n|$/));
  const separator = [",", ";", "\t"].map((mark) => [mark, line.split(mark).length]).sort((one, other) => other[1] - one[1])[0][0];
  const rows = [];
  let [row, cell, quoted, index] = [[], "", false, 0];
  const endRow = () => {
    row.push(cell);
    if (row.length > 1 || row[0] !== "") rows.push(row);
    [row, cell] = [[], ""];
  };
  for (; index < text.length && rows.length < most; index += 1) {
    const letter = text[index];
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (text[index + 1] === '"') {
        cell += '"';
        index += 1;
      } else quoted = false;
    } else if (letter === '"' && cell === "") quoted = true;
    else if (letter === separator) {
      row.push(cell);
      cell = "";
    } else if (letter === "\n") endRow();
    else if (letter !== "\r") cell += letter;
  }
  if (rows.length < most && (cell !== "" || row.length) && !(part && rows.length)) endRow();
  return { rows, more: part || text.slice(index).trim() !== "" };
}

export class Plain {
  has = { find: true, zoom: true };
  page = 1;
  pages = 1;
  scale = 1;
  #pieces = [];

  constructor(stage, told, kind) {
    this.stage = stage;
    this.told = told;
    this.kind = kind;
  }

  async open(source) {
    const part = source.length > BYTES;
    const text = decode(await (part ? source.range(0, BYTES) : source.whole()), part);
    this.surface = new Surface(1, 1);
    const { cut, content, nodes } = this.kind === "csv" ? table(text, part) : lines(text);
    this.surface.sheet.classList.add("plain", this.kind);
    this.surface.sheet.append(content, this.surface.boxes, this.surface.badges);
    if (cut) this.surface.section.prepend(make("p", { class: "cut" }, cut));
    this.surface.nodes = nodes;
    this.#pieces = nodes.map((node) => ({ text: node?.data ?? "", ends: true }));
    this.stage.replaceChildren(this.surface.section);
    this.zoom(1);
    this.told.shown(1);
    await this.contentOf();
    this.repaint();
  }

  at() {
    return this.surface;
  }

  contentOf() {
    return this.surface.text(() => this.#pieces);
  }

  repaint() {
    this.surface.boxes.replaceChildren();
    this.surface.badges.replaceChildren();
    this.told.paint(this.surface);
  }

  readyAt() {
    return Promise.resolve(this.surface);
  }

  go() {
    this.stage.scrollTop = 0;
  }

  reveal(_page, start, end) {
    const [first] = this.surface.rectangles(start, end);
    if (!first) return;
    const sheet = this.surface.sheet.getBoundingClientRect();
    const stage = this.stage.getBoundingClientRect();
    const top = sheet.top + (first.top / 100) * sheet.height;
    if (top < stage.top + 48 || top > stage.bottom - 120) this.stage.scrollTop += top - stage.top - stage.height * 0.3;
  }

  zoom(scale) {
    this.scale = Math.min(3, Math.max(0.5, scale));
    this.stage.style.setProperty("--text-scale", this.scale);
    this.told.scale(this.scale);
    if (this.surface?.known) this.repaint();
  }

  larger(times) {
    this.zoom(this.scale * times);
  }

  night() {}

  close() {
    this.surface?.forget();
    this.#pieces = [];
  }
}

function lines(text) {
  const shown = text.slice(0, LETTERS).replaceAll("\r\n", "\n");
  const nodes = shown.split("\n").map((line) => document.createTextNode(line));
  const content = make("pre", {});
  nodes.forEach((node, index) => content.append(...(index ? ["\n", node] : [node])));
  const cut = text.length > LETTERS && `Only the first ${LETTERS.toLocaleString("en-GB")} letters are shown here. Download the file for all of it.`;
  return { cut, content, nodes };
}

function table(text, part) {
  const { rows, more } = rowsOf(text, ROWS + 1, part);
  const wide = Math.max(0, ...rows.map((row) => row.length));
  const [head = [], ...body] = rows.map((row) => row.slice(0, COLUMNS));
  const nodes = [];
  const filled = (element, words) => {
    const node = document.createTextNode(words);
    nodes.push(node);
    element.append(node);
    return element;
  };
  const width = Math.min(wide, COLUMNS);
  const line = (row, name) => Array.from({ length: width }, (_, index) => filled(make(name, name === "th" ? { scope: "col" } : {}), row[index] ?? ""));
  const content = make(
    "table",
    {},
    make("caption", {}, `${body.length.toLocaleString("en-GB")} rows${more ? " of more" : ""}, ${wide} columns`),
    make("thead", {}, make("tr", {}, ...line(head, "th").map((cell, index) => (cell.textContent ? cell : filled(cell, `Column ${index + 1}`))))),
    make("tbody", {}, ...body.map((row) => make("tr", {}, ...line(row, "td")))),
  );
  const cuts = [more && `the first ${body.length.toLocaleString("en-GB")} rows`, wide > COLUMNS && `the first ${COLUMNS} columns`].filter(Boolean);
  return { cut: cuts.length > 0 && `Only ${cuts.join(" and ")} are shown here. Download the file for all of it.`, content, nodes };
}
