// What somebody had typed on a page that is closed to them: it is not sent and stored nowhere, but offered to be copied, and the page goes
// once they have seen it, or after ten minutes. Without anything typed it goes at once; so does a parent's page, since a parent is never
// told that a child is kept from them.
const TYPED_STAYS = 10 * 60 * 1000;
const typedTexts = () => {
  // On a page that was refused the typed text is what the server wrote into it again.
  const again = document.querySelector("#sheet .errors");
  return [...document.querySelectorAll("#sheet form[method=post] textarea")]
    .filter((one) => !one.readOnly && one.value.trim() && (again || one.value !== one.defaultValue))
    .map((one) => one.value);
};

const made = (tag, props, ...children) => {
  const one = Object.assign(document.createElement(tag), props);
  one.append(...children);
  return one;
};

/** Calls `leave`, after what was typed has been seen. */
export const offer = (leave) => {
  const texts = typedTexts();
  if (!texts.length || location.pathname.startsWith("/children")) return leave();
  setTimeout(leave, TYPED_STAYS);
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
