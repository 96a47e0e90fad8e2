// Buttons, fields and keys of the reader.
import { fill } from "./outline.js";
import { print } from "./print.js";
import { make } from "./surface.js";

const by = (id) => document.getElementById(id);

/** Wires the controls to a paper; what the paper cannot do is not offered. `host` says what else they reach. */
export function controls(paper, host) {
  const stage = by("stage");
  const field = by("page");
  const search = by("search");
  const sought = by("sought");
  const outline = by("outline");
  const narrow = matchMedia("(max-width: 47.99em)");

  const showOutline = (on) => {
    outline.hidden = !on;
    by("contents").setAttribute("aria-expanded", String(on));
  };
  const showSearch = (on) => {
    search.hidden = !on;
    by("look").setAttribute("aria-expanded", String(on));
    if (on) {
      sought.focus();
      sought.select();
    } else {
      sought.value = "";
      host.find()?.clear();
      stage.focus({ preventScroll: true });
    }
  };
  /** Turns to a page and says so to who cannot see it; what has no pages goes to its start or its end. */
  const turn = async (number) => {
    if (!paper.has.pages) {
      stage.scrollTop = number > 1 ? stage.scrollHeight : 0;
      return;
    }
    await paper.go(Math.min(Math.max(1, number), paper.pages));
    by("turned").textContent = `Page ${paper.page} of ${paper.pages}`;
  };
  const acts = {
    previous: () => void turn(paper.page - 1),
    next: () => void turn(paper.page + 1),
    first: () => void turn(1),
    last: () => void turn(Infinity),
    smaller: () => paper.larger(1 / 1.2),
    larger: () => paper.larger(1.2),
    "fit-width": () => paper.fit?.("width"),
    "fit-page": () => paper.fit?.("page"),
    night: () => host.night(by("night").getAttribute("aria-pressed") !== "true"),
    find: () => paper.has.find && showSearch(search.hidden),
    "find-next": () => void host.find()?.step(1),
    "find-previous": () => void host.find()?.step(-1),
    "find-close": () => showSearch(false),
    change: () => void host.marks()?.nextChange(),
    goto: () => {
      field.focus();
      field.select();
    },
    close: () => document.querySelector("dialog[open]")?.close(),
    keys: () => {
      by("choices").hidePopover?.();
      by("keys").showModal();
    },
    print: () => {
      by("choices").hidePopover?.();
      print(paper, host.say).catch(() => host.say("It could not be printed. Download the file and print that."));
    },
  };
  const KEYS = { n: "next", ArrowRight: "next", p: "previous", ArrowLeft: "previous", Home: "first", End: "last", "+": "larger", "=": "larger", "-": "smaller", 0: "fit-width", 9: "fit-page", "/": "find", g: "goto", c: "change", d: "night", "?": "keys" };

  document.addEventListener("click", (event) => {
    const act = event.target.closest?.("[data-do]")?.dataset.do;
    if (act) acts[act]();
  });
  by("contents").addEventListener("click", () => showOutline(outline.hidden));
  // No forms: the frame may send none, and a browser tells nobody when one is sent there.
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const number = Number.parseInt(field.value, 10);
    if (number >= 1) void turn(number);
    field.value = String(Number.isInteger(number) ? Math.min(Math.max(1, number), paper.pages) : paper.page);
    stage.focus({ preventScroll: true });
  });
  field.addEventListener("blur", () => (field.value = String(paper.page)));
  field.addEventListener("focus", () => field.select());

  let typing;
  let looked = "";
  const look = () => {
    clearTimeout(typing);
    looked = sought.value;
    return host.find()?.look(looked);
  };
  sought.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(look, 250);
  });
  sought.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (sought.value !== looked) void look();
    else acts[event.shiftKey ? "find-previous" : "find-next"]();
  });

  document.addEventListener("keydown", (event) => {
    if (by("bar").hidden || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      if (!search.hidden) showSearch(false);
      else if (!outline.hidden) {
        showOutline(false);
        by("contents").focus();
      }
      return;
    }
    if ((event.ctrlKey || event.metaKey) && event.key === "f" && paper.has.find) {
      event.preventDefault();
      showSearch(true);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input")) return;
    const wide = stage.scrollWidth > stage.clientWidth + 1;
    if (wide && /^Arrow(Left|Right)$/.test(event.key)) return;
    const act = KEYS[event.key];
    const steps = { ArrowDown: 60, ArrowUp: -60, PageDown: stage.clientHeight * 0.9, PageUp: stage.clientHeight * -0.9 };
    if (act && (paper.has.pages || !["next", "previous", "goto"].includes(act)) && (act !== "print" || host.print)) {
      event.preventDefault();
      acts[act]();
    } else if (event.key in steps) {
      event.preventDefault();
      stage.scrollBy({ top: steps[event.key] });
    }
  });

  pinch(stage, paper);

  return {
    /** What can be known only of an open paper. */
    async ready() {
      for (const element of document.querySelectorAll("[data-for]")) {
        const need = element.dataset.for;
        if (need !== "outline") element.hidden = !paper.has[need];
      }
      by("print").hidden = !(host.print && paper.has.print);
      by("of").textContent = `of ${paper.pages}`;
      field.classList.toggle("long", paper.pages > 9999);
      this.page(paper.page);
      by("bar").hidden = false;
      if (paper.outline && (await fill(outline, paper, () => narrow.matches && showOutline(false)).catch(() => false))) by("contents").hidden = false;
    },
    page(number) {
      by("turned").textContent = ""; // so that the same page is told again when it is turned to again
      if (document.activeElement !== field) field.value = String(number);
    },
    scale(scale) {
      for (const output of document.querySelectorAll(".scale")) output.textContent = `${Math.round(scale * 100)} %`;
      for (const mode of ["width", "page"]) {
        document.querySelector(`[data-do="fit-${mode}"]`).setAttribute("aria-pressed", String(paper.mode === mode || (mode === "width" && paper.mode === "ease")));
      }
    },
    night(on) {
      for (const button of document.querySelectorAll("[data-night-switch]")) button.setAttribute("aria-pressed", String(on));
    },
    count(text) {
      by("count").textContent = text;
    },
    changes(list) {
      by("change").hidden = list.length === 0;
      by("strip").replaceChildren(
        ...list.map(({ page }) => {
          const tick = make("i");
          tick.style.top = `${((page - 0.5) / paper.pages) * 100}%`;
          return tick;
        }),
      );
    },
  };
}

/** Two fingers, or the wheel with Ctrl, which is what a touch pad sends for two fingers. */
function pinch(stage, paper) {
  stage.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey || !paper.has.zoom) return;
      event.preventDefault();
      paper.larger(Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) / 200), { x: event.clientX, y: event.clientY });
    },
    { passive: false },
  );
  let apart = 0;
  const between = ([one, other]) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
  const middle = ([one, other]) => ({ x: (one.clientX + other.clientX) / 2, y: (one.clientY + other.clientY) / 2 });
  stage.addEventListener("touchstart", ({ touches }) => (apart = touches.length === 2 ? between(touches) : 0), { passive: true });
  stage.addEventListener(
    "touchmove",
    (event) => {
      if (event.touches.length !== 2 || !apart || !paper.has.zoom) return;
      event.preventDefault();
      const now = between(event.touches);
      if (Math.abs(now - apart) < 2) return;
      paper.larger(now / apart, middle(event.touches));
      apart = now;
    },
    { passive: false },
  );
  stage.addEventListener("touchend", () => (apart = 0), { passive: true });
}
