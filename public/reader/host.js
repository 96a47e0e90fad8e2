// The page's side of the reader: <paper-reader> makes the frame, hands it the bytes, and turns what happens in it into
// what happens on the page. The paper itself is never read here.

/** Bytes that are fetched before the reader asks, from either end: a PDF says at its end where things are. */
const AHEAD = 1 << 17;
/** Most bytes that are fetched at once: on a slow line each part comes within its time, and what has come is kept. */
const PART = 1 << 19;
/** How long to wait between tries, and for one of them, in milliseconds. */
const WAITS = [500, 1000, 2000, 4000, 8000, 15000];
const PATIENCE = 30_000;
/** How long a page is looked at before others are told. */
const LINGER = 500;

const GONE = "This paper cannot be opened any more. It may have been taken back, or your access to it has ended.";
const LEFT = "You are not signed in any more. Sign in again to read this paper.";
const CHANGED = "What you may read here has changed. The page is opened again.";
const OTHER = "The file has changed since it was opened. Load the page again to read it.";

class Closed extends Error {}

/** A file that is read in parts. A lost connection is waited for, however long; a refusal is final. */
class Paper {
  #stop = new AbortController();
  #blocks = [];
  #tag;
  lost = false;

  constructor(address, length, told) {
    this.address = address;
    this.length = length;
    this.told = told;
    addEventListener("online", () => this.wake?.(), { signal: this.#stop.signal });
    if (length > 4 * AHEAD) {
      const last = Math.floor((length - 1) / AHEAD) * AHEAD;
      for (const [begin, end] of [[0, AHEAD], [last, length]]) this.#blocks.push({ begin, end, bytes: this.#patiently(begin, end) });
      for (const { bytes } of this.#blocks) bytes.catch(() => {});
    }
  }

  async range(begin, end) {
    const block = this.#blocks.find((one) => one.begin <= begin && end <= one.end);
    if (block) return (await block.bytes).slice(begin - block.begin, end - block.begin);
    if (end - begin <= PART) return this.#patiently(begin, end);
    const whole = new Uint8Array(end - begin);
    for (let from = begin; from < end; from += PART) {
      whole.set(new Uint8Array(await this.range(from, Math.min(end, from + PART))), from - begin);
    }
    return whole.buffer;
  }

  async #patiently(begin, end) {
    for (let tries = 0; ; tries += 1) {
      try {
        const bytes = await this.#fetch(begin, end);
        if (this.lost) this.told({ type: "connection", lost: (this.lost = false) });
        return bytes;
      } catch (error) {
        if (error instanceof Closed) this.close(error.message);
        if (this.#stop.signal.aborted) throw error;
        if (tries > 0 && !this.lost) this.told({ type: "connection", lost: (this.lost = true) });
        await new Promise((done) => {
          const wake = () => (clearTimeout(timer), this.#stop.signal.removeEventListener("abort", wake), done());
          const timer = setTimeout(wake, WAITS[Math.min(tries, WAITS.length - 1)] * (0.8 + Math.random() * 0.4));
          this.wake = wake;
          this.#stop.signal.addEventListener("abort", wake);
        });
        if (this.#stop.signal.aborted) throw error;
      }
    }
  }

  async #fetch(begin, end) {
    if (this.all) return this.all.slice(begin, end);
    const answer = await fetch(this.address, {
      headers: { range: `bytes=${begin}-${end - 1}` },
      credentials: "same-origin",
      redirect: "manual", // where nobody is signed in, the way leads to the sign-in page
      signal: AbortSignal.any ? AbortSignal.any([this.#stop.signal, AbortSignal.timeout(PATIENCE)]) : this.#stop.signal,
    });
    if (answer.type === "opaqueredirect" || answer.status === 401) throw new Closed(LEFT);
    if (answer.status === 416) throw new Closed(OTHER);
    if (answer.status >= 400 && answer.status < 500 && ![408, 425, 429].includes(answer.status)) throw new Closed(GONE);
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const tag = answer.headers.get("etag");
    if (this.#tag && tag && tag !== this.#tag) throw new Closed(OTHER);
    this.#tag ??= tag;
    const bytes = await answer.arrayBuffer();
    if (answer.status === 206) {
      const whole = Number(/\/(\d+)$/.exec(answer.headers.get("content-range") ?? "")?.[1] ?? this.length);
      if (whole !== this.length) throw new Closed(OTHER);
      if (bytes.byteLength !== end - begin) throw new Error("cut short");
      return bytes;
    }
    // A server that knows no parts sends the whole.
    if (bytes.byteLength !== this.length) throw new Closed(OTHER);
    this.all = bytes;
    return bytes.slice(begin, end);
  }

  close(sentence) {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#blocks = [];
    this.all = undefined;
    this.sentence = sentence;
    if (sentence) this.told({ type: "closed", sentence });
  }
}

const pageOfAddress = () => Number(/^#page=(\d{1,5})$/.exec(location.hash)?.[1]) || undefined;

/** Longest quotation that is asked about, in letters. */
const LONGEST = 2000;

/** What the frame says is believed no further than this: whoever broke pdf.js would speak in its place. */
const isPart = ({ begin, end }, length) => Number.isInteger(begin) && Number.isInteger(end) && 0 <= begin && begin < end && end <= length;
const isPage = (page) => Number.isInteger(page) && page > 0 && page < 100_000;
const short = (text, most) => String(text).slice(0, most);

/**
 * <paper-reader data-src data-kind="pdf|image|text|csv" data-name data-length data-page data-print data-marks data-changes
 * data-closed>. What it holds in the page's own source is shown only where there is no script. Its frame is in a shadow, where
 * a redraw of the page does not look. Tells `reader:page`, `reader:mark`, `reader:select` and `reader:shown`.
 */
class PaperReader extends HTMLElement {
  static observedAttributes = ["data-src", "data-marks", "data-changes", "data-closed", "data-length", "data-print"];
  #shadow = this.attachShadow({ mode: "open" });
  #frame;
  #port;
  #file;
  #page;

  connectedCallback() {
    this.#start();
  }

  disconnectedCallback() {
    this.#end();
    document.dispatchEvent(new Event("reader:left"));
  }

  attributeChangedCallback(name, before, now) {
    if (!this.#frame || before === now) return;
    if (name === "data-marks") this.#post({ type: "marks", marks: this.#list("marks") });
    else if (name === "data-changes") this.#post({ type: "changes", changes: this.#list("changes") });
    else if (name === "data-closed") now !== null && this.close(now || GONE);
    else {
      // Several may change in one redraw. Whether it prints is said to a frame once, when it is made.
      clearTimeout(this.soon);
      this.soon = setTimeout(() => this.isConnected && this.#start(), 0);
    }
  }

  /** Empties the reader at once and says why: access has ended, or the file was taken back. */
  close(sentence) {
    this.#file?.close(sentence);
  }

  /** Goes to a page, or to a mark on it. */
  go(page, mark) {
    this.#post({ type: "go", page, mark });
  }

  #start() {
    this.#end();
    const { src, kind = "pdf", name = "Paper", print } = this.dataset;
    if (!src) return;
    const frame = (this.#frame = document.createElement("iframe"));
    frame.title = `Reader: ${name}`;
    frame.setAttribute("sandbox", print === undefined ? "allow-scripts" : "allow-scripts allow-modals");
    frame.setAttribute("part", "frame");
    frame.referrerPolicy = "no-referrer";
    // Set by the program: the policy of a page forbids styles in its source.
    Object.assign(frame.style, { display: "block", width: "100%", height: "100%", border: "0" });
    const length = Number(this.dataset.length);
    const file = (this.#file = new Paper(src, length, (message) => this.#file === file && this.#post(message)));
    frame.addEventListener("load", () => this.#file === file && this.#open(frame, file, kind, name));
    frame.src = `/reader/frame.html#${kind}`;
    this.#shadow.replaceChildren(frame);
  }

  /** The frame has an origin of its own, which has no name to address it by; it came from this host, as the policy demands. */
  #open(frame, file, kind, name) {
    const { port1, port2 } = new MessageChannel();
    this.#port?.close();
    this.#port = port1;
    port1.onmessage = ({ data }) => this.#heard(data, file);
    const message = {
      type: "open",
      kind,
      name,
      length: file.length,
      page: pageOfAddress() ?? (Number(this.dataset.page) || 1),
      print: this.dataset.print !== undefined,
      accent: document.documentElement.dataset.accent,
      night: remembered(),
      marks: this.#list("marks"),
      changes: this.#list("changes"),
      mark: /^#mark-(.+)$/.exec(location.hash)?.[1],
    };
    frame.contentWindow.postMessage(message, "*", [port2]);
    if (this.dataset.closed !== undefined) this.close(this.dataset.closed || GONE);
    // What was found out before the frame could hear it.
    if (file.sentence) this.#post({ type: "closed", sentence: file.sentence });
    else if (file.lost) this.#post({ type: "connection", lost: true });
  }

  #heard(data, file) {
    switch (data.type) {
      case "range":
        if (!isPart(data, file.length)) break;
        file.range(data.begin, data.end).then(
          (bytes) => this.#file === file && this.#port?.postMessage({ type: "bytes", id: data.id, bytes }, [bytes]),
          () => {}, // the reader was told why already
        );
        break;
      case "page":
        if (isPage(data.page) && isPage(data.pages)) this.#turned(data);
        break;
      case "shown":
        this.#tell("shown", { page: data.page });
        break;
      case "mark":
        this.#tell("mark", { id: short(data.id, 64) });
        show(document.getElementById(`mark-${short(data.id, 64)}`));
        break;
      case "select": {
        const { kind, page, start, end } = data;
        if (!["ask", "note"].includes(kind) || ![page, start, end].every(Number.isInteger)) break;
        const quotation = { kind, exact: short(data.exact, LONGEST), prefix: short(data.prefix, 32), suffix: short(data.suffix, 32), page, start, end };
        if (this.#tell("select", quotation)) fillForm(quotation);
        break;
      }
      case "night":
        remember(data.on === true);
        break;
    }
  }

  #turned({ page, pages }) {
    if (page === this.#page) return;
    const first = this.#page === undefined;
    this.#page = page;
    clearTimeout(this.linger);
    this.linger = setTimeout(() => {
      if ((location.hash === "" && !(first && page === 1)) || pageOfAddress()) {
        if (pageOfAddress() !== page) history.replaceState(history.state, "", `#page=${page}`);
      }
      this.#tell("page", { page, pages });
    }, first ? 0 : LINGER);
  }

  #tell(what, detail) {
    return this.dispatchEvent(new CustomEvent(`reader:${what}`, { detail, bubbles: true, cancelable: true }));
  }

  #post(message) {
    this.#port?.postMessage(message);
  }

  #list(name) {
    try {
      return JSON.parse(this.dataset[name] || "[]");
    } catch {
      return [];
    }
  }

  #end() {
    clearTimeout(this.linger);
    this.#file?.close();
    this.#port?.close();
    this.#frame?.remove();
    this.#file = this.#port = this.#frame = this.#page = undefined;
  }
}

/** The frame has the focus when it tells of something. */
function takeFocus(element) {
  window.focus();
  element.focus({ preventScroll: true });
}

/** Opens what an element is folded into, shows it and gives it the focus. */
function show(element) {
  if (!element) return;
  for (let folded = element.closest("details"); folded; folded = folded.parentElement?.closest("details")) folded.open = true;
  if (!element.matches("a[href], button, input, select, textarea, [tabindex]")) element.tabIndex = -1;
  element.scrollIntoView({ block: "nearest" });
  takeFocus(element);
}

/** Puts a quotation into the page's form: into the one of its kind (`data-quote="note"`), else into the first. */
function fillForm(quotation) {
  const form = document.querySelector(`form[data-quote="${quotation.kind}"]`) ?? document.querySelector("form[data-quote]");
  if (!form) return;
  form.dataset.filled = ""; // a redraw of the page leaves it as it is
  const values = { ...quotation, position: `${quotation.start}-${quotation.end}` };
  for (const name of ["exact", "prefix", "suffix", "page", "position"]) {
    const field = form.elements.namedItem(name);
    if (!field) continue;
    field.value = String(values[name]);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
  const box = form.closest("details[data-quote-box]") ?? form.querySelector("details[data-quote-box]");
  if (box) box.open = true;
  const shown = form.querySelector("[data-quote-shown]") ?? box?.querySelector("[data-quote-shown]") ?? document.querySelector("[data-quote-shown]");
  if (shown) {
    shown.textContent = quotation.exact;
    shown.hidden = false;
  }
  const first = form.querySelector('textarea:not([name="exact"])');
  first?.scrollIntoView({ block: "nearest" });
  if (first) takeFocus(first);
}

/** Whether this person reads at night: says nothing about anybody, so it may stay in the browser. */
const NIGHT = "reader-night";
function remembered() {
  try {
    const kept = localStorage.getItem(NIGHT);
    return kept === null ? undefined : kept === "on";
  } catch {
    return undefined;
  }
}
function remember(on) {
  try {
    localStorage.setItem(NIGHT, on ? "on" : "off");
  } catch {
    // a browser that keeps nothing
  }
}

if (!customElements.get("paper-reader")) {
  customElements.define("paper-reader", PaperReader);

  // Which page is open, for the page's own connection, which tells it to others who read the paper; nobody keeps it.
  let open;
  const tell = () => {
    const seen = open && document.visibilityState === "visible";
    window.reading = open && JSON.stringify({ reading: seen ? open : { paper: open.paper } });
    dispatchEvent(new Event("live:reading"));
  };
  document.addEventListener("reader:page", ({ target, detail }) => {
    const { paper } = target.dataset;
    open = paper && { paper, page: detail.page };
    tell();
  });
  document.addEventListener("reader:left", () => {
    if (open) open = { paper: open.paper };
    tell();
  });
  document.addEventListener("visibilitychange", tell);

  // The server has ended the page's connection, as somebody's access to something ended.
  addEventListener("live:closed", () => document.querySelector("paper-reader")?.close(CHANGED));

  addEventListener("hashchange", () => {
    const page = pageOfAddress();
    if (page) document.querySelector("paper-reader")?.go(page);
  });

  // Before anybody else hears of it: the page's own program would take it for a way to another page.
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest?.('a[href^="#page="]');
      const reader = document.querySelector("paper-reader");
      const page = Number(/^#page=(\d{1,5})$/.exec(link?.getAttribute("href") ?? "")?.[1]);
      if (!reader || !page || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      reader.go(page, link.dataset.mark);
      reader.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    },
    { capture: true },
  );
}
