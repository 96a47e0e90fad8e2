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

window.redraw = (element, html) =>
  Idiomorph.morph(element, html, {
    morphStyle: "innerHTML",
    callbacks: {
      beforeNodeMorphed: (old, fresh) => !(old instanceof HTMLFormElement && typedIn(old)) && !newerByItself(old, fresh),
      beforeAttributeUpdated: (name, node) => !(name === "open" && node instanceof HTMLDetailsElement),
    },
  });

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

// Somebody's place here has changed, and what they see is closed. What they had typed is not sent and stored nowhere: it is offered to be
// copied, and the page goes once they have seen it, or after ten minutes. Without anything typed it goes at once; so does a parent's page,
// since a parent is never told that a child is kept from them.
const TYPED_STAYS = 10 * 60 * 1000;
const typedTexts = () => {
  // On a page that was refused the typed text is what the server wrote into it again.
  const again = document.querySelector("#sheet .errors");
  return [...document.querySelectorAll("#sheet form[method=post] textarea")]
    .filter((one) => !one.readOnly && one.value.trim() && (again || one.value !== one.defaultValue))
    .map((one) => one.value);
};
let kept;
window.shut = () => {
  kept = typedTexts();
  dispatchEvent(new Event("live:closed"));
};
window.depart = (to) => {
  const texts = kept ?? typedTexts();
  const leave = () => location.replace(to);
  if (!texts.length || location.pathname.startsWith("/children")) return leave();
  offer(texts, leave);
  setTimeout(leave, TYPED_STAYS);
};
const made = (tag, props, ...children) => {
  const one = Object.assign(document.createElement(tag), props);
  one.append(...children);
  return one;
};
const offer = (texts, leave) => {
  const fields = texts.map((value, n) => {
    const text = made("textarea", { value, readOnly: true, rows: 4, id: `kept-${n}` });
    const name = texts.length > 1 ? `What you wrote, ${n + 1} of ${texts.length}` : "What you wrote";
    return made("div", { className: "field" }, made("label", { htmlFor: text.id, textContent: name }), text);
  });
  const said = made("p", { role: "status" });
  const copy = made("button", { className: "button primary", type: "button", textContent: "Copy what you wrote" });
  copy.addEventListener("click", () =>
    navigator.clipboard.writeText(texts.join("\n\n")).then(
      () => (said.textContent = "Copied."),
      () => (said.textContent = "Your browser did not allow it. Mark the text and copy it."),
    ),
  );
  const close = made("button", { className: "button", type: "button", textContent: "Close without it" });
  close.addEventListener("click", leave);
  const dialog = made(
    "dialog",
    { className: "kept card" },
    made("h2", { id: "kept-title", textContent: "What you may see here has changed" }),
    made("p", { textContent: "It changed while you were writing, so the page is closed. Nothing of this was sent, and nothing is kept of it: copy it if you need it." }),
    ...fields,
    made("div", { className: "actions" }, copy, close),
    said,
  );
  dialog.setAttribute("aria-labelledby", "kept-title");
  dialog.addEventListener("close", leave);
  // What was under it is gone already; the words are the writer's own.
  document.body.replaceChildren(dialog);
  dialog.showModal();
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
