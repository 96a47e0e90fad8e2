// A picture as one page.
import { Surface, make } from "./surface.js";

const TYPES = { "89504e47": "image/png", ffd8ffe0: "image/jpeg" };

export class Picture {
  has = { zoom: true, fit: true };
  page = 1;
  pages = 1;
  scale = 1;
  mode = "page";

  constructor(stage, told, name) {
    this.stage = stage;
    this.told = told;
    this.name = name;
  }

  async open(source) {
    const bytes = await source.whole();
    const first = [...new Uint8Array(bytes, 0, Math.min(4, bytes.byteLength))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const type = TYPES[first] ?? (first.startsWith("ffd8ff") ? "image/jpeg" : undefined);
    if (!type) throw new Error("neither PNG nor JPEG");
    this.address = URL.createObjectURL(new Blob([bytes], { type }));
    this.image = make("img", { alt: this.name, src: this.address });
    await this.image.decode();
    this.surface = new Surface(1, 1);
    this.surface.sheet.classList.add("photograph");
    this.surface.sheet.append(this.image);
    this.stage.replaceChildren(this.surface.section);
    this.observer = new ResizeObserver(() => this.mode && this.fit(this.mode));
    this.observer.observe(this.stage);
    this.fit("page");
    this.told.shown(1);
  }

  at() {
    return this.surface;
  }

  /** The whole picture is never made larger than it is. */
  fit(mode) {
    const width = (this.stage.clientWidth - 32) / this.image.naturalWidth;
    const height = (this.stage.clientHeight - 32) / this.image.naturalHeight;
    this.zoom(mode === "page" ? Math.min(1, width, height) : width, undefined, mode);
  }

  zoom(scale, _point, mode) {
    this.mode = mode;
    this.scale = Math.min(8, Math.max(0.02, scale));
    this.image.style.width = `${this.image.naturalWidth * this.scale}px`;
    this.told.scale(this.scale);
  }

  larger(times) {
    this.zoom(this.scale * times);
  }

  repaint() {}

  go() {
    this.stage.scrollTop = 0;
  }

  night() {}

  close() {
    this.observer?.disconnect();
    if (this.address) URL.revokeObjectURL(this.address);
    this.image?.removeAttribute("src");
  }
}
