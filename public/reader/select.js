// What somebody chose with the pointer or a finger, and what may be done with it.

/**
 * While words are chosen, what lies between them chooses nothing: else a pointer that leaves a line for the gap below it would
 * take in the rest of the page. An empty sheet lies under the letters meanwhile, which cannot be chosen (after pdf.js's viewer).
 */
export function steady() {
  const layers = () => document.querySelectorAll(".textLayer");
  let down = false;
  let before;
  const reset = (layer) => {
    layer.classList.remove("selecting");
    const end = layer.querySelector(".end");
    if (!end) return;
    end.style.userSelect = end.style.webkitUserSelect = "";
    layer.append(end);
  };
  const settle = () => {
    down = false;
    layers().forEach(reset);
  };
  document.addEventListener("pointerdown", (event) => {
    down = true;
    event.target.closest?.(".textLayer")?.classList.add("selecting");
  });
  document.addEventListener("pointerup", settle);
  document.addEventListener("pointercancel", settle);
  addEventListener("blur", settle);
  document.addEventListener("selectionchange", () => {
    const selection = document.getSelection();
    if (!down || selection.rangeCount === 0) return;
    const range = selection.getRangeAt(0);
    for (const layer of layers()) layer.classList.toggle("selecting", range.intersectsNode(layer));
    if (!needsNeighbour) return;
    // Safari looks for the nearest letters in the order of the document, so the sheet is put beside the end that moves.
    const start = before && (range.compareBoundaryPoints(Range.END_TO_END, before) === 0 || range.compareBoundaryPoints(Range.START_TO_END, before) === 0);
    before = range.cloneRange();
    const boundary = start ? range.startContainer : range.endContainer;
    const span = boundary.nodeType === Node.TEXT_NODE ? boundary.parentNode : undefined;
    const end = span?.closest(".textLayer")?.querySelector(".end");
    if (!end) return;
    end.style.userSelect = end.style.webkitUserSelect = "text";
    span[start ? "before" : "after"](end);
  });
}

const chromium = Number(/\bChrome\/(\d+)/.exec(navigator.userAgent)?.[1] ?? 0);
const needsNeighbour = chromium ? chromium < 148 : !navigator.userAgent.includes("Firefox/");

export class Choice {
  #quote;

  /** `told` hears of the words and what is to be done with them. */
  constructor(paper, stage, told) {
    this.paper = paper;
    this.stage = stage;
    this.box = document.getElementById("ask");
    document.addEventListener("selectionchange", () => {
      clearTimeout(this.later);
      this.later = setTimeout(() => this.#look(), 200);
    });
    stage.addEventListener("scroll", () => this.#place(), { passive: true });
    // Pressing a button must not take the choice away before it is read.
    this.box.addEventListener("pointerdown", (event) => event.preventDefault());
    this.box.addEventListener("click", (event) => {
      const kind = event.target.closest("[data-ask]")?.dataset.ask;
      if (!kind || !this.#quote) return;
      told({ kind, ...this.#quote });
      this.hide();
    });
  }

  #look() {
    const selection = document.getSelection();
    const inside = selection && !selection.isCollapsed && selection.rangeCount ? selection.getRangeAt(0) : undefined;
    const section = inside && (inside.startContainer.parentElement ?? inside.startContainer).closest?.(".page");
    const quote = section && this.paper.at(Number(section.dataset.page))?.quoteOf(inside);
    if (!quote) return this.hide();
    this.#quote = { page: Number(section.dataset.page), ...quote };
    this.range = inside;
    this.#place();
    return undefined;
  }

  /** Below the last line, where the telephone's own menu is not. */
  #place() {
    if (!this.#quote) return;
    const lines = this.range.getClientRects();
    const last = lines[lines.length - 1];
    if (!last) return;
    this.box.hidden = false;
    const { width, height } = this.box.getBoundingClientRect();
    const stage = this.stage.getBoundingClientRect();
    const below = last.bottom + 10;
    const top = below + height > stage.bottom ? Math.max(stage.top + 8, last.top - height - 10) : below;
    this.box.style.left = `${Math.max(8, Math.min(last.right - width / 2, stage.right - width - 12))}px`;
    this.box.style.top = `${Math.max(stage.top + 8, top)}px`;
  }

  hide() {
    this.#quote = undefined;
    this.box.hidden = true;
  }
}
