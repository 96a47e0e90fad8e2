// Says whether a certificate and a file belong together, and whether the certificate is as it was signed. Both stay here.
// Whether a newer version came since only the server knows: where somebody presses the button for it, the id of the approval
// and the SHA-256 are sent, and nothing else. A certificate, PDF or JSON, carries its mark as plain text:
//   quorate-certificate:1 sha256:<of the file> approval:<its id> key:<public key> signature:<Ed25519>
// Those that were made earlier carry no id.
// Signed is the SHA-256 of the certificate with zeros for the digits of its signature. See server/print/src/mark.rs.
//
// The page gives a form [data-check] with data-keys="<public keys of this service>", two file inputs named "certificate" and
// "file", and an <output> into which the answer is written; output[data-verdict] is one of the verdicts below. In it stands
// [data-server], hidden until they belong together: where the two values are shown that would be sent ([data-sent="approval"]
// and [data-sent="sha256"]), a button, and an <output> of its own; output[data-newest] is one of the answers below.

const MARK = /quorate-certificate:1 sha256:([0-9a-f]{64})(?: approval:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))? key:([0-9a-f]{64}) signature:([0-9a-f]{128})(?![0-9a-f])/g;
const BEGINS = /quorate-certificate:/g;
const DOMAIN = "quorate certificate v1\n";
export const MOST = { certificate: 16 * 2 ** 20, file: 200 * 2 ** 20 };

export const SENTENCES = {
  together: "They belong together: this file is the one that the certificate is about, and the certificate is as it was signed.",
  unsigned: "This file is the one that the certificate is about. Your browser cannot check signatures, so whether the certificate was altered is not known: try another browser.",
  different: "This is another file: not a byte may differ from what was approved, and something does. It may be another version.",
  altered: "The certificate was altered after it was signed. Do not rely on it.",
  stranger: "The certificate was signed with a key that is not one of this service. Do not rely on it.",
  none: "Neither file is a certificate of Quorate. Choose the PDF or the JSON as it was downloaded; a scan or a new print of it does not do.",
  large: "The file is too large to be checked here: 200 MB for the file, 16 MB for the certificate.",
  many: "Those were more than two files. Drop the certificate and the one file that it is about.",
  unread: "The file could not be read. Choose it again.",
};

export const ANSWERS = {
  newest: "This is still the newest version.",
  older: "A newer version has been filed since: this approval is of an older one.",
  silent: "The server knows this approval, and says no more about it now. Ask the school.",
  unknown: "The server does not know this approval: it may have been deleted, or this page belongs to another installation. If neither can be, do not rely on the certificate.",
  untold: "The server could not be asked now. Try again in a few minutes.",
};

// What became of the approval as the server has it.
const STATES = {
  adopted: "The server has it as adopted.",
  rejected: "The server has it as rejected.",
  lapsed: "The server has it as lapsed: it was not decided in time.",
  stale: "The server has it as undecided: the newer version came first.",
  withdrawn: "The server has it as withdrawn by who asked.",
  open: "The server has it as not decided yet.",
};

const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
const bytesOf = (digits) => Uint8Array.from(digits.match(/../g), (pair) => parseInt(pair, 16));

/** The SHA-256 of some bytes, in 64 digits. */
export const fingerprint = async (bytes) => hex(await crypto.subtle.digest("SHA-256", bytes));

/** 64 digits as eight groups, as the certificate prints them. */
export const grouped = (digits) => digits.match(/.{8}/g).join(" ");

/** The mark of a certificate, or null. All places must agree, and nothing may look like a mark and be none. */
export function mark(bytes) {
  // One letter for each byte.
  const text = new TextDecoder("latin1").decode(bytes);
  const found = [...text.matchAll(MARK)];
  if (found.length === 0 || found.some((one) => one[0] !== found[0][0])) return null;
  if (text.match(BEGINS).length !== found.length) return null;
  const [whole, sha256, approval, key, signature] = found[0];
  const digits = found.map((one) => one.index + whole.length - signature.length);
  return { sha256, approval, key, signature, digits };
}

/** "good", "bad", or "untold" where the browser has no Ed25519. */
export async function signature(bytes, { key, signature, digits }) {
  const unsigned = new Uint8Array(bytes);
  for (const place of digits) unsigned.fill(0x30, place, place + signature.length);
  const digest = bytesOf(await fingerprint(unsigned));
  const message = new Uint8Array([...new TextEncoder().encode(DOMAIN), ...digest]);
  let imported;
  try {
    imported = await crypto.subtle.importKey("raw", bytesOf(key), "Ed25519", false, ["verify"]);
  } catch (error) {
    return error.name === "NotSupportedError" ? "untold" : "bad";
  }
  return (await crypto.subtle.verify("Ed25519", imported, bytesOf(signature), message)) ? "good" : "bad";
}

/**
 * Two chosen files, in either order, and the public keys of this service.
 * Gives { verdict, expected, found, approval }: the fingerprint that the certificate names, the one that the file has, and the
 * id of the approval where the certificate carries it.
 */
export async function check(certificate, file, keys) {
  if (certificate.size > MOST.file || file.size > MOST.file) return { verdict: "large" };
  const read = async (one) => new Uint8Array(await one.arrayBuffer());
  const marked = async (one) => {
    if (one.size > MOST.certificate) return null;
    const bytes = await read(one);
    const its = mark(bytes);
    return its && { bytes, its };
  };
  let paper = await marked(certificate);
  if (!paper) {
    paper = await marked(file);
    if (!paper) return { verdict: certificate.size > MOST.certificate ? "large" : "none" };
    file = certificate;
  }
  const { bytes, its } = paper;
  if (!keys.includes(its.key)) return { verdict: "stranger" };
  const signed = await signature(bytes, its);
  if (signed === "bad") return { verdict: "altered" };
  const found = await fingerprint(await read(file));
  const verdict = found !== its.sha256 ? "different" : signed === "good" ? "together" : "unsigned";
  return { verdict, expected: its.sha256, found, approval: its.approval };
}

/**
 * What the server says of an approval and the SHA-256 it is about: { answer, state }. No cookie goes with it, so that it does not
 * say who asks.
 */
export async function ask(approval, sha256) {
  const said = await fetch(`/known/${approval}/${sha256}`, { credentials: "omit", cache: "no-store", headers: { accept: "application/json" } });
  if (said.status === 404) return { answer: "unknown" };
  if (!said.ok) return { answer: "untold" };
  const { state, newest } = await said.json();
  if (newest === null) return { answer: "silent" };
  return { answer: newest ? "newest" : "older", state };
}

/** Whether a file is a certificate: by the mark in it, or else by what it is called. */
async function isCertificate(file) {
  const bytes = file.size > MOST.certificate ? undefined : await file.arrayBuffer().catch(() => undefined);
  return Boolean(bytes && mark(new Uint8Array(bytes))) || /certificate/i.test(file.name);
}

/**
 * Puts one or two dropped files into the fields: a certificate into its own, another file into the other, and one whose field
 * is taken into the one that is empty.
 */
async function place(form, dropped) {
  const { certificate, file } = form.elements;
  const put = (input, one) => {
    const transfer = new DataTransfer();
    transfer.items.add(one);
    input.files = transfer.files;
  };
  const first = await isCertificate(dropped[0]);
  if (dropped.length === 2) {
    const swapped = !first && (await isCertificate(dropped[1]));
    [certificate, file].forEach((input, n) => put(input, dropped[swapped ? 1 - n : n]));
    return;
  }
  const [wanted, other] = first ? [certificate, file] : [file, certificate];
  put(wanted.files.length && !other.files.length ? other : wanted, dropped[0]);
}

/** Answers in the page as soon as both files are chosen or dropped. */
export function bind(form) {
  const output = form.querySelector("output");
  const keys = form.dataset.keys.split(" ").filter(Boolean);
  const server = form.querySelector("[data-server]");
  const [button, told] = ["button", "output"].map((name) => server.querySelector(name));
  const line = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  let turn = 0;
  let known;
  const answer = async () => {
    const [certificate, file] = ["certificate", "file"].map((name) => form.elements[name].files[0]);
    const mine = ++turn;
    for (const one of [output, told]) one.replaceChildren();
    delete output.dataset.verdict;
    delete told.dataset.newest;
    server.hidden = true;
    output.removeAttribute("aria-busy");
    if (!certificate || !file) return;
    output.setAttribute("aria-busy", "true");
    const said = await check(certificate, file, keys).catch(() => ({ verdict: "unread" }));
    // Another file was chosen meanwhile.
    if (mine !== turn) return;
    output.removeAttribute("aria-busy");
    output.dataset.verdict = said.verdict;
    output.append(line("p", SENTENCES[said.verdict]));
    if (said.found) output.append(line("p", "The certificate names"), line("code", grouped(said.expected)), line("p", "The file has"), line("code", grouped(said.found)));
    if (said.verdict !== "together" && said.verdict !== "unsigned") return;
    if (!said.approval) return output.append(line("p", "This certificate was made before certificates carried the id of their approval. To ask whether a newer version exists, download it again."));
    known = [said.approval, said.expected];
    server.querySelector('[data-sent="approval"]').textContent = said.approval;
    server.querySelector('[data-sent="sha256"]').textContent = grouped(said.expected);
    server.hidden = false;
  };
  const askServer = async () => {
    const mine = turn;
    told.replaceChildren();
    delete told.dataset.newest;
    told.setAttribute("aria-busy", "true");
    const { answer: newest, state } = await ask(...known).catch(() => ({ answer: "untold" }));
    told.removeAttribute("aria-busy");
    if (mine !== turn) return;
    told.dataset.newest = newest;
    told.append(line("p", [ANSWERS[newest], STATES[state]].filter(Boolean).join(" ")));
  };
  // Two drops one after the other find their fields one after the other.
  let placed = Promise.resolve();
  for (const kind of ["dragover", "dragleave", "drop"])
    document.addEventListener(kind, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      const over = form.contains(event.target);
      form.toggleAttribute("data-over", over && kind === "dragover");
      if (kind === "dragleave") return;
      // Beside the form too: the browser would leave the page and show the file.
      event.preventDefault();
      if (kind === "dragover") event.dataTransfer.dropEffect = over ? "copy" : "none";
      if (kind !== "drop" || !over) return;
      const dropped = [...event.dataTransfer.files];
      if (dropped.length > 2) {
        turn += 1;
        for (const one of [output, told]) one.replaceChildren();
        delete output.dataset.verdict;
        delete told.dataset.newest;
        output.removeAttribute("aria-busy");
        server.hidden = true;
        output.append(line("p", SENTENCES.many));
      } else if (dropped.length) {
        placed = placed.then(() => place(form, dropped)).then(answer).catch(() => {});
      }
    });
  button.addEventListener("click", askServer);
  form.addEventListener("change", answer);
  form.addEventListener("submit", (event) => (event.preventDefault(), answer()));
}

if (globalThis.document) for (const form of document.querySelectorAll("form[data-check]")) bind(form);
