// What a page of any kind has in common: its text in pieces, boxes drawn over words, and the words that somebody chose.
import { offsetOf, pageText, partsOf, quote } from "./quotation.js";

/** An element with attributes and children: text and elements. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** An icon of frame.html. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** One page that is looked at: `sheet` is its paper, `over` holds the boxes, `badges` the numbers of its marks. */
export class Surface {
  #text;

  constructor(number, of) {
    this.number = number;
    this.boxes = make("div", { class: "boxes", "aria-hidden": "true" });
    this.badges = make("div", { class: "badges" });
    this.sheet = make("div", { class: "sheet" });
    this.section = make("section", { class: "page", "aria-label": `Page ${number} of ${of}`, "data-page": number }, this.sheet);
    /** The text node of each piece, while the page is drawn. */
    this.nodes = [];
  }

  /** The text of the page with where its letters stand; `pieces` brings them. */
  async text(pieces) {
    this.#text ??= pageText(await pieces());
    return this.#text;
  }

  /** What is known of the text without waiting. */
  get known() {
    return this.#text;
  }

  forget() {
    this.#text = undefined;
  }

  /** Rectangles of a stretch of text, in hundredths of the sheet; those of one line are one. */
  rectangles(start, end) {
    const whole = this.sheet.getBoundingClientRect();
    const found = [];
    if (!this.#text || !whole.width) return found;
    for (const { piece, from, to } of partsOf(this.#text.at, start, end)) {
      const node = this.nodes[piece];
      if (!node) continue;
      const range = document.createRange();
      range.setStart(node, Math.min(from, node.length));
      range.setEnd(node, Math.min(to, node.length));
      for (const { left, top, right, bottom } of range.getClientRects()) {
        if (right - left < 0.5) continue;
        const box = { left: left - whole.left, top: top - whole.top, right: right - whole.left, bottom: bottom - whole.top };
        const last = found.at(-1);
        const sameLine = last && Math.abs(last.bottom - box.bottom) < (box.bottom - box.top) / 2 && box.left - last.right < box.bottom - box.top && box.left >= last.left - 1;
        if (sameLine) Object.assign(last, { right: Math.max(last.right, box.right), top: Math.min(last.top, box.top), bottom: Math.max(last.bottom, box.bottom) });
        else found.push(box);
      }
    }
    return found.map(({ left, top, right, bottom }) => ({
      left: (left / whole.width) * 100,
      top: (top / whole.height) * 100,
      width: ((right - left) / whole.width) * 100,
      height: ((bottom - top) / whole.height) * 100,
    }));
  }

  /** Draws boxes over a stretch of text. */
  box(start, end, className) {
    const rectangles = this.rectangles(start, end);
    const boxes = rectangles.map((rectangle) => {
      const box = make("i", { class: className });
      for (const [side, value] of Object.entries(rectangle)) box.style[side] = `${value.toFixed(3)}%`;
      return box;
    });
    this.boxes.append(...boxes);
    return { rectangles, boxes };
  }

  /** What a selection of the browser covers on this page, as a quotation. */
  quoteOf(range) {
    if (!this.#text) return undefined;
    const { text, at } = this.#text;
    const covered = this.nodes.map((node, piece) => (node && range.intersectsNode(node) ? piece : -1)).filter((piece) => piece >= 0);
    if (covered.length === 0) return undefined;
    const [first, last] = [covered[0], covered.at(-1)];
    const start = offsetOf(at, first, range.startContainer === this.nodes[first] ? range.startOffset : 0);
    const end = offsetOf(at, last, range.endContainer === this.nodes[last] ? range.endOffset : Infinity);
    return quote(text, start, end);
  }
}
