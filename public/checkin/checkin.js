// A row of check-ins by keys alone: a digit chooses a level and goes on to the next. The form is complete without this; nothing is kept
// or sent from here. Sheets are drawn anew, so everything listens on the document; keys do something only while the focus is in the form.

const FORM = "form[data-checkin]";

/** The scales that are shown, in the order in which they stand. */
const scales = (form) => [...form.querySelectorAll("fieldset.scale")].filter((scale) => scale.checkVisibility());

/** The one that has the focus, or else the first of the pupil whose row has it, or else the first without a level. */
const here = (form) => {
  const { activeElement: at } = document;
  const shown = scales(form);
  const row = at.closest("li.pupil");
  return at.closest("fieldset.scale") ?? shown.find((scale) => row?.contains(scale)) ?? shown.find((scale) => !chosen(scale).value) ?? shown[0];
};

const steps = (scale) => [...scale.querySelectorAll("input")];
const chosen = (scale) => scale.querySelector("input:checked");

const go = (scale) => {
  if (!scale) return;
  const step = chosen(scale) ?? steps(scale)[0];
  step.focus({ preventScroll: true });
  const pupil = scale.closest("li.pupil");
  (pupil.offsetHeight < innerHeight / 2 ? pupil : scale).scrollIntoView({ block: "nearest" });
};

const choose = (scale, level) => {
  const step = steps(scale).find((one) => one.value === level);
  if (!step || step.checked) return;
  step.checked = true;
  step.dispatchEvent(new Event("change", { bubbles: true }));
};

/** Opens the note of a pupil. */
const write = (scale) => {
  const note = scale.closest("li.pupil").querySelector("details.note");
  note.open = true;
  note.querySelector("textarea").focus();
};

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.(FORM);
  if (!form || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const { key, target } = event;
  if (key === "Escape" && target.matches("textarea")) {
    event.preventDefault();
    return go(here(form));
  }
  // Where somebody writes or a control has keys of its own, keys are what they always are.
  if (target.matches("textarea, select, input:not([type=radio], [type=checkbox])")) return;
  if (key === "?") {
    event.preventDefault();
    const keys = form.querySelector("details.keys");
    keys.open = !keys.open;
    if (keys.open) keys.scrollIntoView({ block: "nearest" });
    return;
  }
  if (target.matches("button, a, summary, [type=checkbox]")) return;
  const scale = here(form);
  if (!scale) return;
  const all = scales(form);
  const at = all.indexOf(scale);
  const act = {
    ArrowDown: () => go(all[at + 1]),
    ArrowUp: () => go(all[at - 1]),
    Backspace: () => (choose(scale, ""), go(scale)),
    Delete: () => (choose(scale, ""), go(scale)),
    0: () => (choose(scale, ""), go(scale)),
    n: () => write(scale),
    N: () => write(scale),
  };
  for (const level of ["1", "2", "3", "4", "5"]) {
    act[level] = () => (choose(scale, level), go(all[at + 1] ?? scale));
  }
  if (!Object.hasOwn(act, key)) return;
  event.preventDefault();
  act[key]();
});

// Whoever comes to the page with the keyboard begins at the first pupil; after a refusal the page's own summary comes first.
const form = document.querySelector(FORM);
if (form && [null, document.body].includes(document.activeElement) && !document.querySelector(".errors")) {
  chosen(here(form))?.focus({ preventScroll: true });
}
