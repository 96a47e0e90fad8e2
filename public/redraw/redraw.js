// Draws the content of an element again, keeping what has not changed: the focus, the scroll, what is half typed, what is open.
"use strict";

const typedIn = (form) =>
  "filled" in form.dataset || // by a script: the reader of papers
  form.contains(document.activeElement) ||
  [...form.elements].some((field) =>
    field.type === "checkbox" || field.type === "radio"
      ? field.checked !== field.defaultChecked
      : field.options
        ? [...field.options].some((option) => option.selected !== option.defaultSelected && option.defaultSelected)
        : "defaultValue" in field && field.type !== "hidden" && field.value !== field.defaultValue,
  );

// What was asked for with a form is what its fields say; on another page of answers they say what was asked for there.
const address = () => location.pathname + location.search;
const first = address();
window.redraw = (element, html) => {
  const elsewhere = (element.drawnAt ?? first) !== (element.drawnAt = address());
  Idiomorph.morph(element, html, {
    morphStyle: "innerHTML",
    callbacks: {
      beforeNodeMorphed: (old, fresh) =>
        !(old instanceof HTMLFormElement && typedIn(old) && !(elsewhere && old.method === "get")) && !newerByItself(old, fresh),
      beforeAttributeUpdated: (name, node) => !(name === "open" && node instanceof HTMLDetailsElement),
    },
  });
};

// A part of a page that follows a topic of its own is drawn anew by itself. The last drawing that was asked for counts.
window.hear = (topics) => {
  for (const part of document.querySelectorAll("[data-topic]")) {
    if (topics.split(" ").includes(part.dataset.topic)) draw(part);
  }
};
const asked = new WeakMap();
// The whole page may have been asked for before such a part and come after it: the part stays as it is, and asks once more.
const newerByItself = (old, fresh) => {
  const itself = asked.has(old) && old.dataset.topic === fresh.dataset?.topic;
  if (itself) void draw(old);
  return itself;
};
const draw = async (part) => {
  const turn = (asked.get(part) ?? 0) + 1;
  const { src } = part.dataset;
  asked.set(part, turn);
  try {
    const answer = await fetch(src, { headers: { accept: "application/json" }, redirect: "manual" });
    const html = answer.ok ? await answer.json() : answer.status < 500 ? "" : undefined;
    if (html !== undefined && asked.get(part) === turn && part.dataset.src === src) window.redraw(part, html);
  } catch {
    // The connection is gone; once it is back everything is drawn anew.
  }
};

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-print]")) window.print();
});

// Somebody's place here has changed: what they see is closed, and the page goes.
window.shut = () => dispatchEvent(new Event("live:closed"));
window.depart = (to) => {
  const leave = () => location.replace(to);
  import("/redraw/offer.js").then(({ offer }) => offer(leave), leave);
};

// Scripts that few pages need come with the first of these pages.
const needed = {
  "paper-reader": "/reader/host.js",
  "form[data-upload]": "/upload/upload.js",
  "textarea[data-notes]": "/prompt/prompt.js",
  "form[data-checkin]": "/checkin/checkin.js",
};
const bring = () => {
  for (const [what, src] of Object.entries(needed)) {
    if (!document.querySelector(what)) continue;
    delete needed[what];
    document.head.append(Object.assign(document.createElement("script"), { type: "module", src }));
  }
  if (!Object.keys(needed).length) watching.disconnect();
};
const watching = new MutationObserver(() => bring());
watching.observe(document.documentElement, { childList: true, subtree: true });
bring();
