// Sends the files of a form that adds documents: in parts, one file after another, with progress, going on by itself when a lost
// connection is back. Without it the form is sent as it is.

/** Bytes of a part. What is on its way when a connection breaks is sent again. */
const PART = 4 * 1024 * 1024;
/** How long to wait between tries, in milliseconds; the last one again and again, for as long as the page is open. */
const WAITS = [500, 1000, 3000, 5000, 10000, ...Array(500).fill(15000)];

let tus;
const loaded = () =>
  (tus ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = "/upload/tus.min.js";
    script.onload = () => done(window.tus);
    script.onerror = () => failed(new Error("not loaded"));
    document.head.append(script);
  }));

/** How long another request may be at the upload, in milliseconds: it is being checked, or a copy of this page sends it too. */
const CHECKED_MOST = 10 * 60 * 1000;

/** "0.8 of 2.4 MB": both in the unit of the whole. */
const progress = (some, all) => {
  const [unit, name] = all < 1e6 ? [1e3, "KB"] : [1e6, "MB"];
  const told = (bytes) => (bytes / unit).toFixed(unit === 1e6 && all < 1e7 ? 1 : 0);
  return `${told(some)} of ${told(all)} ${name}`;
};

const element = (name, props = {}, ...children) => {
  const made = Object.assign(document.createElement(name), props);
  made.append(...children);
  return made;
};

/** One line of progress. What becomes of the file is said aloud too, each thing once; how much of it has been sent is not. */
function line(list, name, aloud) {
  const tell = (text) => {
    if (aloud.textContent !== `${name}: ${text}`) aloud.textContent = `${name}: ${text}`;
  };
  const bar = element("progress", { max: 100, value: 0 });
  bar.setAttribute("aria-label", name);
  const said = element("small", { textContent: "Waiting" });
  const row = element("li", {}, element("b", { textContent: name }), bar, said);
  list.append(row);
  // What became of the file before it is still being read out.
  if (list.childElementCount === 1) tell("Waiting");
  return {
    sent(some, all) {
      bar.value = (100 * some) / all;
      said.textContent = progress(some, all);
    },
    say(text) {
      said.textContent = text;
      tell(text);
    },
    checking() {
      bar.removeAttribute("value");
      this.say("All of it is here; it is being checked");
    },
    done(href, text) {
      bar.remove();
      row.className = "done";
      said.replaceChildren(element("a", { href, textContent: text }));
      tell(text);
    },
    failed(sentence) {
      bar.remove();
      row.className = "failed";
      this.say(sentence);
    },
  };
}

const sentenceOf = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
};

const rest = (milliseconds) => new Promise((rested) => setTimeout(rested, milliseconds));

/** Sends one file; resolves to where it lies then, rejects with a sentence. */
async function send(file, fields, row) {
  const { Upload } = await loaded();
  const sent = new AbortController();
  const address = await new Promise((done, failed) => {
    const upload = new Upload(file, {
      endpoint: "/files/uploads",
      chunkSize: PART,
      retryDelays: WAITS,
      storeFingerprintForResuming: false,
      metadata: { filename: file.name, ...fields },
      onProgress: (some, all) => row.sent(some, all),
      onShouldRetry(error) {
        const status = error.originalResponse?.getStatus() ?? 0;
        const again = status === 0 || status === 409 || status === 429 || status >= 500;
        if (again) row.say(navigator.onLine ? "The connection was lost; trying again" : "You are offline; it goes on when you are connected");
        return again && status !== 507;
      },
      onError: (error) => failed(new Error(sentenceOf(error.originalResponse?.getBody() ?? "").sentence ?? "The file could not be sent. Try again in a minute.")),
      onSuccess: () => done(upload.url),
    });
    addEventListener("online", () => upload.url && upload.start(), { signal: sent.signal });
    upload.start();
  }).finally(() => sent.abort());
  row.checking();
  const begun = Date.now();
  let busy = 0;
  for (let tries = 0; ; ) {
    const answer = await fetch(`${address}/finish`, { method: "POST", credentials: "same-origin" }).catch(() => undefined);
    const said = answer ? sentenceOf(await answer.text().catch(() => "")) : {};
    if (answer?.ok && said.document) return said;
    // Somebody else is at it: the request whose answer was lost, most likely, which goes on without us.
    if (answer?.status === 409 && said.passes && Date.now() - begun < CHECKED_MOST) {
      row.say("Your file is being checked…");
      await rest(WAITS[Math.min(busy, 5)]);
      busy += 1;
      continue;
    }
    const passes = !answer || said.passes;
    if (!passes || tries >= 5) throw new Error(said.sentence ?? "The file could not be kept. Try again in a minute.");
    row.say(said.sentence ?? "The connection was lost; trying again");
    await rest(WAITS[Math.min(tries, 4)]);
    tries += 1;
  }
}

async function sendAll(form) {
  const input = form.querySelector("input[type=file]");
  const files = [...input.files];
  const place = form.parentElement.querySelector("[data-uploads]");
  const list = element("ul", { className: "uploads", role: "list" });
  const aloud = form.parentElement.querySelector("[data-uploads-said]");
  place.replaceChildren(list);
  const button = form.querySelector("button:not([type=button])");
  button.disabled = true;
  const fields = {};
  for (const [name, value] of new FormData(form)) if (typeof value === "string" && value) fields[name] = value;
  if (form.dataset.folder) fields.folder = form.dataset.folder;
  if (form.dataset.document) fields.document = form.dataset.document;
  const leave = (event) => event.preventDefault();
  addEventListener("beforeunload", leave);
  let [last, wrong] = [undefined, 0];
  // Every file is listed before the first is sent.
  const rows = files.map((file) => line(list, file.name, aloud));
  for (const [n, file] of files.entries()) {
    const row = rows[n];
    const said = { ...fields };
    // One title is not that of several.
    if (files.length > 1) delete said.title;
    try {
      last = await send(file, said, row);
      row.done(`/papers/${last.document}`, `Filed as version ${last.number}`);
    } catch (error) {
      wrong += 1;
      row.failed(error.message);
    }
  }
  removeEventListener("beforeunload", leave);
  button.disabled = false;
  input.value = "";
  if (wrong) {
    place.querySelector(".failed")?.scrollIntoView({ block: "nearest" });
    return;
  }
  const to = files.length > 1 ? `/library/${form.dataset.folder}?done=${files.length}` : `/papers/${last.document}?done=filed&meanwhile=${last.meanwhile?.length ?? 0}`;
  location.assign(to);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !("upload" in form.dataset)) return;
  event.preventDefault();
  event.stopPropagation();
  sendAll(form);
}, true);

// Dropping files onto the field is choosing them.
for (const kind of ["dragover", "dragleave", "drop"])
  document.addEventListener(kind, (event) => {
    const drop = event.target.closest?.("[data-drop]");
    if (!drop || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    drop.toggleAttribute("data-over", kind === "dragover");
    if (kind !== "drop") return;
    const input = drop.querySelector("input[type=file]");
    if (input.multiple || event.dataTransfer.files.length === 1) input.files = event.dataTransfer.files;
  });
