// Finding words in the whole paper, from the page that is looked at onwards.
import { places } from "./quotation.js";

/** More places than anybody steps through. */
const MOST = 1000;

export class Find {
  #run = 0;
  #wanted = "";
  #found = new Map();
  #order = [];
  #at = -1;

  /** `told` hears in words how far it has come. */
  constructor(paper, told) {
    this.paper = paper;
    this.told = told;
  }

  async look(wanted) {
    const run = (this.#run += 1);
    this.#wanted = wanted.trim();
    this.#found.clear();
    this.#order = [];
    this.#at = -1;
    this.paper.repaint();
    if (!this.#wanted) return this.told("");
    const from = this.paper.page;
    for (let step = 0; step < this.paper.pages && this.#order.length < MOST; step += 1) {
      const page = ((from - 1 + step) % this.paper.pages) + 1;
      const { text } = await this.paper.contentOf(page);
      if (run !== this.#run) return undefined;
      const hits = places(text, this.#wanted);
      if (hits.length) {
        this.#found.set(page, hits);
        this.#order = [...this.#found.entries()].sort(([one], [other]) => one - other).flatMap(([number, list]) => list.map((hit) => ({ page: number, hit })));
        if (this.#at < 0) await this.#go(this.#order.findIndex((place) => place.page === page));
        else this.#at = this.#order.indexOf(this.#order.find((place) => place.hit === this.current.hit));
        if (run !== this.#run) return undefined;
        this.paper.repaint();
      }
      if (step % 10 === 9) this.told(`Page ${step + 1} of ${this.paper.pages} …`);
    }
    this.#tell();
    return undefined;
  }

  #tell() {
    const many = this.#order.length >= MOST ? `more than ${MOST}` : this.#order.length;
    this.told(this.#order.length ? `${this.#at + 1} of ${many}` : "Not found");
  }

  async #go(index) {
    this.#at = index;
    this.current = this.#order[index];
    await this.paper.reveal(this.current.page, ...this.current.hit);
    this.paper.repaint();
  }

  async step(by) {
    if (this.#order.length === 0) return;
    const next = (this.#at + by + this.#order.length) % this.#order.length;
    await this.#go(next);
    this.#tell();
  }

  paint(surface) {
    for (const hit of this.#found.get(surface.number) ?? []) surface.box(...hit, hit === this.current?.hit ? "hit here" : "hit");
  }

  clear() {
    this.#run += 1;
    this.#found.clear();
    this.#order = [];
    this.#wanted = "";
    this.paper.repaint();
    this.told("");
  }
}
