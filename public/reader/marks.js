// Questions, notes and changes over the words they are about.
import { locate } from "./quotation.js";
import { make } from "./surface.js";

const KINDS = { open: "Question", answered: "Answered question", note: "Your note" };
/** How far from its page a quotation is looked for: a new version may have moved it. */
const AWAY = [0, 1, -1, 2, -2];

export class Marks {
  #list = [];
  #changes = [];
  #places = new Map();
  #flash;

  /** `told` hears which mark was chosen. */
  constructor(paper, told) {
    this.paper = paper;
    this.told = told;
  }

  set(list) {
    this.#list = Array.isArray(list) ? list.filter(({ id, exact }) => id !== undefined && exact) : [];
    this.#places.clear();
    this.#lookUp();
  }

  setChanges(list) {
    this.#changes = (Array.isArray(list) ? list : []).filter(({ page }) => page >= 1 && page <= this.paper.pages).sort((one, other) => one.page - other.page);
    for (const section of document.querySelectorAll(".page > .changed")) section.remove();
    for (const change of this.#changes) this.#label(change);
    this.paper.repaint();
  }

  get changes() {
    return this.#changes;
  }

  #label({ page, added = [], removed = [] }) {
    const words = (list, name) => list.map((text) => make("p", {}, make(name, {}, typeof text === "string" ? text : text.exact)));
    const { section, sheet } = this.paper.at(page);
    const label = make("details", { class: "changed" }, make("summary", {}, "Changed"), make("div", {}, ...words(removed, "del"), ...words(added, "ins")));
    section.insertBefore(label, sheet);
  }

  /** On which pages a mark's words are looked for: on its own, else on one next to it; without a page of its own on all. */
  #pagesFor({ page }) {
    if (page === null || page === undefined) return Array.from({ length: this.paper.pages }, (_, index) => index + 1);
    return AWAY.map((away) => Number(page) + away).filter((one) => one >= 1 && one <= this.paper.pages);
  }

  /** Where a mark's words stand. */
  #placeOf(mark) {
    if (!this.#places.has(mark.id)) {
      this.#places.set(
        mark.id,
        (async () => {
          for (const page of this.#pagesFor(mark)) {
            const { text } = await this.paper.contentOf(page);
            const place = locate(text, mark);
            if (place) return { page, start: place[0], end: place[1] };
          }
          return undefined;
        })().catch(() => undefined),
      );
    }
    return this.#places.get(mark.id);
  }

  #lookUp() {
    this.paper.repaint();
  }

  /** Draws what belongs on a page. Words that are looked for further away come as they are found. */
  paint(surface) {
    for (const { page, added = [] } of this.#changes) {
      if (page !== surface.number || !surface.known) continue;
      for (const text of added) {
        const place = locate(surface.known.text, typeof text === "string" ? { exact: text } : text);
        if (place) surface.box(...place, "added");
      }
    }
    this.#list.forEach((mark, index) => {
      const anywhere = mark.page === null || mark.page === undefined;
      if (!anywhere && Math.abs(mark.page - surface.number) > 2) return;
      void this.#placeOf(mark).then((place) => {
        if (!surface.boxes.isConnected || !this.#list.includes(mark)) return;
        if (place?.page === surface.number) this.#draw(surface, mark, index, place);
        else if (!place && !anywhere && Number(mark.page) === surface.number) this.#badge(surface, mark, index, undefined);
      });
    });
  }

  #draw(surface, mark, index, { start, end }) {
    if (surface.badges.querySelector(`[data-mark="${CSS.escape(mark.id)}"]`)) return;
    const { rectangles, boxes } = surface.box(start, end, `mark ${mark.state}`);
    for (const box of boxes) box.dataset.mark = mark.id;
    this.#badge(surface, mark, index, rectangles[0]);
    if (this.#flash === mark.id) this.#show(surface, mark.id);
  }

  #badge(surface, mark, index, beside) {
    if (surface.badges.querySelector(`[data-mark="${CSS.escape(mark.id)}"]`)) return;
    const number = mark.number ?? index + 1;
    const words = beside ? `${KINDS[mark.state] ?? "Mark"} ${number}: ${mark.exact.slice(0, 80)}` : `${KINDS[mark.state] ?? "Mark"} ${number}: its words are not on this page any more`;
    const badge = make("button", { type: "button", class: `badge ${mark.state}${beside ? "" : " lost"}`, "data-mark": mark.id, "aria-label": words, title: words }, String(number));
    badge.addEventListener("click", () => this.told(mark.id));
    surface.badges.append(badge);
    if (beside) badge.dataset.at = beside.top;
    this.#apart(surface);
  }

  /** The numbers stand in the margin beside the first line of their words, and never on each other. */
  #apart(surface) {
    const height = surface.sheet.offsetHeight || 1;
    let free = 0;
    for (const badge of [...surface.badges.querySelectorAll("[data-at]")].sort((one, other) => one.dataset.at - other.dataset.at)) {
      const top = Math.max(free, (badge.dataset.at / 100) * height);
      badge.style.top = `${((top / height) * 100).toFixed(3)}%`;
      free = top + badge.offsetHeight + 4;
    }
  }

  /** Which mark lies under a point of the screen. */
  under(surface, x, y) {
    for (const box of surface.boxes.querySelectorAll("[data-mark]")) {
      const { left, right, top, bottom } = box.getBoundingClientRect();
      if (x >= left && x <= right && y >= top && y <= bottom) return box.dataset.mark;
    }
    return undefined;
  }

  /** Goes to a mark and shows for a moment which it is. */
  async go(id, page) {
    const mark = this.#list.find((one) => String(one.id) === String(id));
    const place = mark && (await this.#placeOf(mark));
    if (!place) return page ? this.paper.go(page) : undefined;
    this.#flash = mark.id;
    await this.paper.reveal(place.page, place.start, place.end);
    const surface = this.paper.at(place.page);
    if (surface.boxes.querySelector(`[data-mark="${CSS.escape(mark.id)}"]`)) this.#show(surface, mark.id);
  }

  #show(surface, id) {
    this.#flash = undefined;
    for (const box of surface.boxes.querySelectorAll(`[data-mark="${CSS.escape(id)}"]`)) {
      box.classList.remove("flash");
      requestAnimationFrame(() => box.classList.add("flash"));
    }
  }

  /** Goes to the next page with changes, after the last comes the first. */
  async nextChange() {
    if (this.#changes.length === 0) return;
    const last = this.lastChange ?? (this.#changes.some(({ page }) => page === this.paper.page) ? this.paper.page - 1 : this.paper.page);
    const change = this.#changes.find(({ page }) => page > last) ?? this.#changes[0];
    this.lastChange = change.page;
    const surface = await this.paper.readyAt(change.page);
    for (const text of change.added ?? []) {
      const place = surface.known && locate(surface.known.text, typeof text === "string" ? { exact: text } : text);
      if (place) return this.paper.reveal(change.page, ...place);
    }
    return this.paper.go(change.page);
  }
}
