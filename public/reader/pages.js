// A PDF, page under page. Only pages near what is looked at are drawn; the others are empty sheets of their size.
import * as pdfjs from "/pdfjs/pdf.min.mjs";
import { Surface, make } from "./surface.js";
import { base, worker } from "./worker.js";

/** Most pixels, and pages, that are drawn at once; the page that is looked at and its neighbours always are. */
const KEPT = 32_000_000;
const PAGES = 24;
const ALWAYS = 3;
/** Most pixels of one page's canvas: what a telephone's browser still draws. */
const PIXELS = 16_000_000;
/** Size of a picture beyond which it is left out: it would take the memory of the whole browser. */
const PICTURE = 100_000_000;
/** Bytes that are asked for at once. */
export const CHUNK = 1 << 17;
/** CSS pixels for a point at "100 %". */
const WHOLE = 96 / 72;
const LEAST = 0.25 * WHOLE;
const MOST = 5 * WHOLE;
/** Most CSS pixels of all pages together: what stands below that, a browser lays out wrongly or not at all. */
const TALL = 16_000_000;
/** A sheet as wide as a large screen is no pleasure to read; fitting the width goes beyond this only when it is asked for. */
const AT_EASE = 1.6;

class Ranges extends pdfjs.PDFDataRangeTransport {
  constructor(source) {
    super(source.length, null);
    this.source = source;
  }
  requestDataRange(begin, end) {
    this.source.range(begin, end).then(
      (bytes) => this.onDataRange(begin, new Uint8Array(bytes)),
      () => {}, // closed meanwhile: nobody waits any more
    );
  }
}

class Page extends Surface {
  #pages;
  #proxy;
  #task;
  #textLayer;
  scale = 0;

  constructor(pages, number) {
    super(number, pages.pages);
    this.#pages = pages;
  }

  async proxy() {
    this.#proxy ??= this.#pages.pdf.getPage(this.number);
    const proxy = await this.#proxy;
    const { width, height } = proxy.getViewport({ scale: 1 });
    this.#pages.measured(this, width, height);
    return proxy;
  }

  size(width, height) {
    this.width = width;
    this.height = height;
    this.sheet.style.setProperty("--width", width);
    this.sheet.style.setProperty("--height", height);
  }

  content() {
    return this.text(async () =>
      (await (await this.proxy()).getTextContent({ disableNormalization: true })).items.map(({ str, hasEOL }) => ({ text: str, ends: hasEOL })),
    );
  }

  /** How many pixels its picture has: as many as the screen shows, or as many as may be. */
  pixels(scale) {
    return Math.min(PIXELS, this.width * this.height * (scale * (devicePixelRatio || 1)) ** 2);
  }

  get drawn() {
    return this.scale > 0;
  }

  /** Draws the page at a scale; the old picture stays, stretched, until the new one is there. */
  async draw(scale) {
    const proxy = await this.proxy();
    const viewport = proxy.getViewport({ scale: scale * Math.sqrt(this.pixels(scale) / (this.width * this.height * scale * scale)) });
    const canvas = make("canvas", { "aria-hidden": "true" });
    canvas.width = Math.max(1, Math.floor(viewport.width));
    canvas.height = Math.max(1, Math.floor(viewport.height));
    this.#task = proxy.render({ canvas, viewport, recordImages: true });
    try {
      await this.#task.promise;
    } catch (error) {
      canvas.width = canvas.height = 0;
      throw error;
    } finally {
      this.#task = undefined;
    }
    this.#dropCanvases();
    this.sheet.prepend(canvas);
    this.canvas = canvas;
    this.scale = scale;
    this.images = proxy.imageCoordinates;
    this.nightPictures();
    this.#pages.shown(this);
    // A page whose words cannot be read still has its picture.
    if (!this.#textLayer) await this.#drawText(proxy).catch((error) => this.#textLayer && console.warn("the reader:", error?.name, error?.message));
  }

  async #drawText(proxy) {
    const container = make("div", { class: "textLayer" });
    const layer = (this.#textLayer = new pdfjs.TextLayer({
      textContentSource: await proxy.getTextContent({ disableNormalization: true, includeMarkedContent: true }),
      container,
      viewport: proxy.getViewport({ scale: 1 }),
    }));
    await layer.render();
    if (this.#textLayer !== layer) return;
    await this.content();
    this.nodes = layer.textDivs.map((div) => div.firstChild);
    await nameParts(container, proxy);
    container.append(make("div", { class: "end" }));
    this.sheet.append(this.boxes, container, await this.#links(proxy), this.badges);
    this.#pages.paint(this);
  }

  /** Links within the paper lead there; one that leads out only shows where it would. */
  async #links(proxy) {
    const viewport = proxy.getViewport({ scale: 1 });
    const holder = make("div", { class: "links" });
    for (const { subtype, url, dest, rect } of await proxy.getAnnotations()) {
      if (subtype !== "Link" || (!url && !dest)) continue;
      const [x1, y1] = viewport.convertToViewportPoint(rect[0], rect[1]);
      const [x2, y2] = viewport.convertToViewportPoint(rect[2], rect[3]);
      const link = make("button", { type: "button", title: url ?? "Go to this place in the paper", "aria-label": url ? `Address: ${url}` : "Go to this place in the paper" });
      link.style.left = `${(Math.min(x1, x2) / viewport.width) * 100}%`;
      link.style.top = `${(Math.min(y1, y2) / viewport.height) * 100}%`;
      link.style.width = `${(Math.abs(x2 - x1) / viewport.width) * 100}%`;
      link.style.height = `${(Math.abs(y2 - y1) / viewport.height) * 100}%`;
      link.addEventListener("click", () => (url ? this.#pages.told.leadsOut(url) : void this.#pages.follow(dest)));
      holder.append(link);
    }
    return holder;
  }

  /** Pictures keep their colours at night. One that fills the page is a scan, which is paper itself. */
  nightPictures() {
    this.sheet.querySelectorAll("canvas.picture").forEach(empty);
    if (!this.canvas || !this.images || !("night" in document.documentElement.dataset)) return;
    const { width, height } = this.canvas;
    for (let index = 0; index + 5 < this.images.length; index += 6) {
      const [x1, y1, x2, y2, x3, y3] = this.images.slice(index, index + 6);
      const x4 = x2 + x3 - x1;
      const y4 = y2 + y3 - y1;
      const left = Math.max(0, Math.floor(Math.min(x1, x2, x3, x4) * width));
      const top = Math.max(0, Math.floor(Math.min(y1, y2, y3, y4) * height));
      const right = Math.min(width, Math.ceil(Math.max(x1, x2, x3, x4) * width));
      const bottom = Math.min(height, Math.ceil(Math.max(y1, y2, y3, y4) * height));
      if (right - left < 8 || bottom - top < 8 || (right - left) * (bottom - top) > 0.7 * width * height) continue;
      const picture = make("canvas", { class: "picture", "aria-hidden": "true" });
      picture.width = right - left;
      picture.height = bottom - top;
      picture.getContext("2d").drawImage(this.canvas, -left, -top);
      picture.style.left = `${(left / width) * 100}%`;
      picture.style.top = `${(top / height) * 100}%`;
      picture.style.width = `${((right - left) / width) * 100}%`;
      picture.style.height = `${((bottom - top) / height) * 100}%`;
      this.canvas.after(picture);
    }
  }

  cancel() {
    this.#task?.cancel();
  }

  #dropCanvases() {
    this.sheet.querySelectorAll("canvas").forEach(empty);
    this.canvas = undefined;
  }

  /** Gives the memory back; the sheet stays. */
  hide() {
    this.cancel();
    this.#dropCanvases();
    this.#textLayer?.cancel();
    this.#textLayer = undefined;
    this.nodes = [];
    this.scale = 0;
    this.boxes.replaceChildren();
    this.badges.replaceChildren();
    this.sheet.replaceChildren();
    void this.#proxy?.then((proxy) => proxy.cleanup());
  }
}

function empty(canvas) {
  canvas.width = canvas.height = 0;
  canvas.remove();
}

/** What a tagged paper says of itself: its headings are headings, and its pictures are told in its own words. */
async function nameParts(container, proxy) {
  const stretches = (part) => idsOf(part).map((id) => container.querySelector(`#${CSS.escape(id)}`)).filter(Boolean);
  const visit = (part) => {
    const level = /^H([1-6])$/.exec(part.role ?? "")?.[1] ?? (part.role === "H" || part.role === "Title" ? "1" : undefined);
    if (level) {
      // Its number and its words may be two stretches.
      const words = stretches(part);
      const heading = make("span", { class: "markedContent", role: "heading", "aria-level": String(Math.min(6, Number(level) + 1)) });
      words[0]?.before(heading);
      heading.append(...words);
    }
    if (part.role === "Figure" && part.alt) {
      const place = stretches(part)[0] ?? container;
      place.append(make("span", { role: "img", class: "picture-words", "aria-label": part.alt }));
    }
    for (const child of part.children ?? []) visit(child);
  };
  const tree = await proxy.getStructTree().catch(() => null);
  if (tree) visit(tree);
}

/** The marked stretches of a page that belong to a part of its structure. */
const idsOf = (part) => (part.type === "content" ? [part.id] : (part.children ?? []).flatMap(idsOf));

export class Pages {
  has = { pages: true, zoom: true, fit: true, find: true, print: true };
  page = 1;
  mode = "ease";
  scale = WHOLE;
  most = MOST;
  #drawing = false;
  #closed = false;
  #waiting = new Map();

  /** `told` hears of the page, the scale, and what each page is to be painted with. */
  constructor(stage, told) {
    this.stage = stage;
    this.told = told;
  }

  /** Opens the paper and shows it from a page on. */
  async open(source, page) {
    const port = await worker;
    if (this.#closed) return port.terminate();
    this.port = port;
    this.task = pdfjs.getDocument({
      range: new Ranges(source),
      rangeChunkSize: CHUNK,
      disableAutoFetch: true, // pages that nobody looks at stay where they are
      disableStream: true,
      worker: pdfjs.PDFWorker.create({ port, verbosity: 0 }),
      cMapUrl: `${base}cmaps/`,
      standardFontDataUrl: `${base}standard_fonts/`,
      wasmUrl: `${base}wasm/`,
      iccUrl: `${base}iccs/`,
      useSystemFonts: false, // the library's own stand-ins have the right widths, and are the same everywhere
      enableXfa: false,
      isEvalSupported: false, // CVE-2024-4367; gone from the library since, and forbidden by the policy besides
      maxImageSize: PICTURE,
      verbosity: 0,
    });
    this.pdf = await this.task.promise;
    this.pages = this.pdf.numPages;
    const [first, may] = await Promise.all([this.pdf.getPage(1), this.pdf.getPermissions()]);
    // What whoever made the file permits (ISO 32000-1, table 22); none said is everything.
    if (may && !may.has(pdfjs.PermissionFlag.PRINT)) this.has = { ...this.has, print: false };
    const { width, height } = first.getViewport({ scale: 1 });
    this.list = Array.from({ length: this.pages }, (_, index) => new Page(this, index + 1));
    for (const one of this.list) one.size(width, height);
    this.most = Math.max(LEAST, Math.min(MOST, TALL / (this.pages * height)));
    this.stage.replaceChildren(...this.list.map((one) => one.section));
    this.fit("ease");
    this.stage.addEventListener("scroll", () => this.#soon(), { passive: true });
    this.observer = new ResizeObserver(() => (this.mode ? this.fit(this.mode) : this.#soon()));
    this.observer.observe(this.stage);
    await this.go(page);
  }

  at(number) {
    return this.list[number - 1];
  }

  /** Pages that can be seen or nearly so, the nearest first. */
  #near() {
    const { scrollTop, clientHeight } = this.stage;
    const middle = scrollTop + clientHeight / 2;
    const away = ({ section }) => Math.max(section.offsetTop - middle, middle - section.offsetTop - section.offsetHeight, 0);
    let pixels = 0;
    return this.list
      .slice(Math.max(0, this.page - 1 - PAGES), this.page + PAGES)
      .map((page) => ({ page, away: away(page) }))
      .filter(({ away: distance }) => distance < clientHeight * 1.5)
      .sort((one, other) => one.away - other.away)
      .map(({ page }) => page)
      .filter((page, index) => {
        pixels += page.pixels(this.scale);
        return index < ALWAYS || (index < PAGES && pixels <= KEPT);
      });
  }

  #soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      if (!this.#closed) this.#settle();
    });
  }

  #settle() {
    const line = this.stage.scrollTop + this.stage.clientHeight * 0.35;
    let [low, high] = [0, this.list.length - 1];
    while (low < high) {
      const half = (low + high + 1) >> 1;
      if (this.list[half].section.offsetTop <= line) low = half;
      else high = half - 1;
    }
    // The last page may be too short to reach the line.
    const atEnd = this.stage.scrollTop + this.stage.clientHeight >= this.stage.scrollHeight - 2 && this.stage.scrollTop > 0;
    const page = atEnd ? this.pages : low + 1;
    if (page !== this.page) {
      this.page = page;
      this.told.page(page);
    }
    const near = this.#near();
    for (const one of this.list) if (!near.includes(one) && (one.drawn || one.wanted)) this.#hide(one);
    for (const one of near) one.wanted = true;
    void this.#draw();
  }

  #hide(page) {
    page.wanted = false;
    page.hide();
  }

  async #draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    const failed = new Set();
    for (;;) {
      const next = this.#closed ? undefined : this.#near().find((page) => page.scale !== this.scale && !failed.has(page));
      if (!next) break;
      next.wanted = true;
      try {
        await next.draw(this.scale);
        if (!next.wanted) next.hide();
      } catch (error) {
        if (error?.name === "RenderingCancelledException" || this.#closed) continue;
        console.warn("the reader:", error?.name, error?.message);
        failed.add(next);
        next.sheet.replaceChildren(make("p", { class: "fault" }, "This page cannot be shown. The file itself may be damaged here."));
      }
    }
    this.#drawing = false;
  }

  /** The true size of a page is known once it was loaded; what is looked at stays where it is. */
  measured(page, width, height) {
    if (page.width === width && page.height === height) return;
    const before = page.section.offsetHeight;
    const above = page.section.offsetTop + before <= this.stage.scrollTop;
    page.size(width, height);
    if (above) this.stage.scrollTop += page.section.offsetHeight - before;
  }

  shown(page) {
    this.told.shown(page.number);
  }

  paint(page) {
    page.boxes.replaceChildren();
    page.badges.replaceChildren();
    this.told.paint(page);
    this.#waiting.get(page.number)?.forEach((done) => done(page));
    this.#waiting.delete(page.number);
  }

  /** Paints again what is drawn. */
  repaint() {
    for (const page of this.list ?? []) if (page.drawn && page.nodes.length) this.paint(page);
  }

  async contentOf(number) {
    return this.at(number).content();
  }

  /** Goes to a page, or to a place in it (as a part of its height). */
  async go(number, part = 0) {
    const page = this.at(Math.min(Math.max(1, number || 1), this.pages));
    await page.proxy();
    const top = page.section.offsetTop + (part ? page.sheet.offsetTop + part * page.sheet.offsetHeight - 24 : -8);
    this.stage.scrollTop = top;
    this.#settle();
  }

  /** The page once its words are there. */
  async readyAt(number) {
    const page = this.at(number);
    if (page.drawn && page.nodes.length) return page;
    const ready = new Promise((done) => this.#waiting.set(number, [...(this.#waiting.get(number) ?? []), done]));
    await this.go(number);
    return ready;
  }

  /** Brings words of a page before the eyes. */
  async reveal(number, start, end) {
    const page = await this.readyAt(number);
    const [first] = page.rectangles(start, end);
    if (!first) return this.go(number);
    const sheet = page.sheet.getBoundingClientRect();
    const stage = this.stage.getBoundingClientRect();
    const top = sheet.top + (first.top / 100) * sheet.height;
    const left = sheet.left + (first.left / 100) * sheet.width;
    if (top < stage.top + 48 || top > stage.bottom - 120) this.stage.scrollTop += top - stage.top - stage.height * 0.3;
    if (left < stage.left || left > stage.right - 40) this.stage.scrollLeft += left - stage.left - stage.width * 0.3;
    this.#settle();
  }

  /** Follows a link or a heading of the contents. */
  async follow(dest) {
    const place = typeof dest === "string" ? await this.pdf.getDestination(dest) : dest;
    if (!Array.isArray(place)) return;
    const [reference, kind, , top] = place;
    const index = typeof reference === "object" && reference ? await this.pdf.getPageIndex(reference).catch(() => -1) : reference;
    if (!Number.isInteger(index) || index < 0 || index >= this.pages) return;
    const proxy = await this.at(index + 1).proxy();
    const height = kind?.name === "XYZ" ? top : kind?.name === "FitH" ? place[2] : undefined;
    const viewport = proxy.getViewport({ scale: 1 });
    const part = typeof height === "number" ? viewport.convertToViewportPoint(0, height)[1] / viewport.height : 0;
    await this.go(index + 1, Math.max(0, part - 0.02));
    this.stage.focus({ preventScroll: true });
  }

  outline() {
    return this.pdf.getOutline();
  }

  /** Fits the width, or the whole page. "ease" is the width, but no wider than is pleasant to read. */
  fit(mode) {
    const page = this.list[this.page - 1];
    const width = (this.stage.clientWidth - (this.stage.clientWidth < 640 ? 16 : 48)) / page.width;
    const height = (this.stage.clientHeight - 24) / page.height;
    const scale = mode === "page" ? Math.min(width, height) : mode === "ease" ? Math.min(width, AT_EASE) : width;
    this.zoom(scale, undefined, mode);
  }

  /** Sets the scale; the point under the pointer, or the top of what is seen, stays where it is. */
  zoom(scale, point, mode) {
    this.mode = mode;
    scale = Math.min(this.most, Math.max(LEAST, scale));
    const frame = this.stage.getBoundingClientRect();
    const { x, y } = point ?? { x: frame.left + frame.width / 2, y: frame.top };
    const under = this.list.find(({ section }) => section.getBoundingClientRect().bottom >= y) ?? this.list.at(-1);
    const old = under.sheet.getBoundingClientRect();
    const partX = (x - old.left) / (old.width || 1);
    const partY = (y - old.top) / (old.height || 1);
    this.scale = scale;
    this.stage.style.setProperty("--scale", scale);
    const now = under.sheet.getBoundingClientRect();
    if (this.stage.scrollTop > 0 || point) this.stage.scrollTop += now.top + partY * now.height - y;
    this.stage.scrollLeft += now.left + partX * now.width - x;
    this.told.scale(scale / WHOLE);
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      for (const page of this.list) if (page.drawn && page.scale !== scale) page.cancel();
      this.#soon();
    }, 120);
  }

  larger(times, point) {
    this.zoom(this.scale * times, point);
  }

  night() {
    for (const page of this.list ?? []) page.nightPictures();
  }

  /** A picture of a page for the printer. */
  async picture(number, resolution) {
    const proxy = await this.at(number).proxy();
    const viewport = proxy.getViewport({ scale: resolution / 72 });
    const canvas = make("canvas");
    canvas.width = Math.floor(viewport.width);
    canvas.height = Math.floor(viewport.height);
    await proxy.render({ canvas, viewport, intent: "print" }).promise;
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9));
    empty(canvas);
    return { blob, width: this.at(number).width, height: this.at(number).height };
  }

  /** Drops the paper from memory. */
  close() {
    this.#closed = true;
    this.observer?.disconnect();
    for (const page of this.list ?? []) {
      page.hide();
      page.forget();
    }
    this.list = [];
    void this.task?.destroy().catch(() => {});
    this.port?.terminate();
    pdfjs.TextLayer.cleanup();
  }
}
