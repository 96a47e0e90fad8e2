// What somebody chose with the pointer or a finger, and what may be done with it.

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
