// The reader's own side: a page of an origin of its own, which has nothing but what the page around it hands over a port.
import { Choice, steady } from "./select.js";
import { Find } from "./find.js";
import { Marks } from "./marks.js";
import { controls } from "./controls.js";
import { make } from "./surface.js";

const root = document.documentElement;
const stage = document.getElementById("stage");
const word = document.getElementById("word");
const dark = matchMedia("(prefers-color-scheme: dark)");

/** What a kind of file is opened with. The address says it beforehand, so that the program is on its way early. */
const KINDS = {
  pdf: (told) => import("./pages.js").then(({ Pages }) => new Pages(stage, told)),
  image: (told, name) => import("./image.js").then(({ Picture }) => new Picture(stage, told, name)),
  text: (told) => import("./plain.js").then(({ Plain }) => new Plain(stage, told, "text")),
  csv: (told) => import("./plain.js").then(({ Plain }) => new Plain(stage, told, "csv")),
};
if (location.hash === "#pdf") for (const part of ["./worker.js", "./pages.js"]) import(part).catch(() => {});

/** The bytes of the file, asked for from the page around. */
class Source {
  #port;
  #asked = new Map();
  #next = 1;

  constructor(port, length) {
    this.#port = port;
    this.length = length;
  }

  range(begin, end) {
    return new Promise((done, failed) => {
      const id = this.#next++;
      this.#asked.set(id, { done, failed });
      this.#port.postMessage({ type: "range", id, begin, end });
    });
  }

  whole() {
    return this.range(0, this.length);
  }

  arrived(id, bytes) {
    this.#asked.get(id)?.done(bytes);
    this.#asked.delete(id);
  }

  close() {
    for (const { failed } of this.#asked.values()) failed(new Error("closed"));
    this.#asked.clear();
  }
}

let night; // what the person chose, else as the device has it
let paper;
let marks;
let find;
let source;
let bar;
let closed = false;
let ready = false; // its marks are set, so that one can go to them

function showNight() {
  const on = night ?? dark.matches;
  root.toggleAttribute("data-night", on);
  root.toggleAttribute("data-dark", on || dark.matches);
  bar?.night(on);
  paper?.night();
}
dark.addEventListener("change", showNight);
showNight();

function say(text) {
  if (word.textContent !== text) word.textContent = text;
}

/** The reader is emptied: nothing of the paper is left, and one sentence says why. */
function close(sentence) {
  closed = true;
  source?.close();
  paper?.close();
  paper = marks = find = undefined;
  say("");
  document.getElementById("turned").textContent = "";
  document.getElementById("bar").hidden = true;
  document.getElementById("search").hidden = true;
  for (const id of ["outline", "strip"]) document.getElementById(id).replaceChildren();
  document.getElementById("outline").hidden = true;
  document.getElementById("ask").hidden = true;
  document.getElementById("name").textContent = "";
  document.getElementById("sought").value = "";
  document.getElementById("address").value = "";
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  document.title = "Paper";
  stage.setAttribute("aria-label", "Paper");
  stage.replaceChildren(make("p", { class: "closed", role: "alert" }, sentence));
}

async function open(message, port) {
  const { kind, name, length, page, print, accent, around } = message;
  night = message.night ?? undefined;
  if (accent) root.dataset.accent = accent;
  root.toggleAttribute("data-unprinted", !print);
  document.title = name;
  document.getElementById("name").textContent = name;
  stage.setAttribute("aria-label", name);
  source = new Source(port, length);
  const told = {
    page: (number) => {
      bar.page(number);
      port.postMessage({ type: "page", page: number, pages: paper.pages });
    },
    scale: (scale) => bar?.scale(scale),
    shown: (number) => port.postMessage({ type: "shown", page: number }),
    paint: (surface) => {
      marks?.paint(surface);
      find?.paint(surface);
    },
    leadsOut: (address) => {
      document.getElementById("address").value = address;
      document.getElementById("leads").showModal();
    },
  };
  const opening = await (KINDS[kind] ?? KINDS.text)(told, name);
  if (closed) return opening.close();
  paper = opening;
  bar = controls(paper, {
    print,
    say,
    night: (on) => {
      night = on;
      showNight();
      port.postMessage({ type: "night", on });
    },
    find: () => find,
    marks: () => marks,
  });
  showNight();
  await paper.open(source, page);
  if (closed) return undefined;
  root.toggleAttribute("data-unprinted", !(print && paper.has.print));
  marks = new Marks(paper, (id) => port.postMessage({ type: "mark", id }));
  find = new Find(paper, (text) => bar.count(text));
  new Choice({ at: (number) => paper?.at(number) }, stage, (chosen) => port.postMessage({ type: "select", ...chosen }));
  steady();
  stage.addEventListener("click", (event) => {
    const surface = paper?.at(Number(event.target.closest(".page")?.dataset.page));
    if (!surface || event.target.closest("button, details") || !document.getSelection().isCollapsed) return;
    const id = marks.under(surface, event.clientX, event.clientY);
    if (id !== undefined) port.postMessage({ type: "mark", id });
  });
  await bar.ready();
  marks.set(around.marks);
  showChanges(around.changes);
  ready = true;
  port.postMessage({ type: "page", page: paper.page, pages: paper.pages });
  if (around.mark !== undefined) void marks.go(around.mark, around.page);
  else if (around.page !== undefined) void paper.go(around.page);
  return undefined;
}

function showChanges(changes) {
  marks.setChanges(changes);
  bar.changes(marks.changes);
}

/** Why a file cannot be shown, in one sentence. */
function fault(error) {
  if (error?.name === "PasswordException") return "This paper is locked with a password, so it cannot be shown here. Download it to open it.";
  // A module that does not come is a TypeError of the browser.
  if (error?.name === "LoadException" || (error?.name === "TypeError" && /import|module/i.test(error.message))) return "The reader did not load. Load the page again, or download the paper.";
  return "This file cannot be shown here: it may be damaged. Download it to open it with another program.";
}

addEventListener("message", (event) => {
  const [port] = event.ports;
  if (event.source !== parent || event.data?.type !== "open" || !port || source) return;
  const around = { marks: event.data.marks, changes: event.data.changes, mark: event.data.mark };
  port.onmessage = ({ data }) => {
    if (closed) return;
    if (data.type === "bytes") source?.arrived(data.id, data.bytes);
    if (data.type === "closed") close(data.sentence);
    if (data.type === "connection") say(data.lost ? "The connection is lost. What you see stays; the rest comes when it is back." : "");
    if (data.type === "marks") marks ? marks.set(data.marks) : (around.marks = data.marks);
    if (data.type === "changes") marks ? showChanges(data.changes) : (around.changes = data.changes);
    if (data.type === "go") {
      // Whoever is quicker than the paper gets there when its marks do; the last of several ways is the one.
      if (!ready) [around.mark, around.page] = [data.mark, data.page];
      else void (data.mark === undefined ? paper?.go(data.page) : marks?.go(data.mark, data.page));
    }
  };
  open({ ...event.data, around }, port).catch((error) => {
    if (closed) return;
    console.warn("the reader:", error?.name, error?.message);
    close(fault(error));
  });
});
