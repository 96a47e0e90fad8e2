// The half of pdf.js that reads files, in a thread of its own. Apart from pages.js, so that it starts while the rest is loaded.

/** Where pdf.js lies. */
export const base = new URL("/pdfjs/", location.href).href;

/**
 * A worker cannot be started by its address from an origin of its own, nor as a module (Chromium); so a script of one line is,
 * which brings the library's. Whatever is sent to it before it listens would be lost.
 */
export const worker = new Promise((done, fail) => {
  const failed = () => fail(Object.assign(new Error("the worker did not load"), { name: "LoadException" }));
  const line = `import("${base}pdf.worker.min.mjs").then(() => postMessage("loaded"), () => postMessage("failed"))`;
  const address = URL.createObjectURL(new Blob([line], { type: "text/javascript" }));
  const started = new Worker(address);
  started.onerror = failed;
  started.addEventListener("message", function first({ data }) {
    if (data === "failed") failed();
    if (data !== "loaded") return;
    started.removeEventListener("message", first);
    URL.revokeObjectURL(address);
    done(started);
  });
});
worker.catch(() => {}); // told by whoever waits for it
