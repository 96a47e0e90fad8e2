// Run by check.rs with a folder of certificates that were just set. `node --test` style, with no more than node itself.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { pathToFileURL } from "node:url";

const { QUORATE_CHECK: script, QUORATE_FOLDER: folder, QUORATE_KEY: key, QUORATE_APPROVAL: approval } = process.env;
const { ask, check, mark } = await import(pathToFileURL(script));
const load = async (name) => new Blob([await readFile(join(folder, name))]);
const changed = async (blob, at, to) => {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  bytes[at] = to ?? bytes[at] ^ 1;
  return new Blob([bytes]);
};
const text = async (blob) => Buffer.from(await blob.arrayBuffer()).toString("latin1");
const paper = await load("paper.bin");
const verdict = async (certificate, file, keys = [key]) => (await check(certificate, file, keys)).verdict;

for (const name of ["certificate.pdf", "certificate.json"]) {
  const certificate = await load(name);
  const { size } = certificate;

  test(`${name} and its file belong together, in whichever order they are chosen`, async () => {
    assert.equal(await verdict(certificate, paper), "together");
    assert.equal(await verdict(paper, certificate), "together");
    assert.equal(await verdict(certificate, paper, ["0".repeat(64), key]), "together");
  });

  test(`${name} and a file with one other byte are told apart`, async () => {
    const said = await check(certificate, await changed(paper, 1000), [key]);
    assert.equal(said.verdict, "different");
    assert.notEqual(said.expected, said.found);
    assert.equal(await verdict(certificate, paper.slice(0, paper.size - 1)), "different");
    assert.equal(await verdict(certificate, new Blob([])), "different");
  });

  test(`${name} with any one byte changed is altered or no certificate, never good`, async () => {
    const told = new Set();
    for (let at = 0; at < size; at += Math.max(1, Math.floor(size / 400))) {
      const said = await verdict(await changed(certificate, at), paper);
      told.add(said);
      assert.ok(["altered", "none", "stranger"].includes(said), `byte ${at}: ${said}`);
    }
    assert.ok(told.has("altered"));
  });

  test(`${name} that lost or gained bytes at its end is altered`, async () => {
    assert.equal(await verdict(certificate.slice(0, size - 1), paper), "altered");
    assert.equal(await verdict(new Blob([certificate, "\n"]), paper), "altered");
  });

  test(`${name} that was told to be about another file is altered`, async () => {
    const other = new Blob([await (await changed(paper, 0)).arrayBuffer()]);
    const { fingerprint } = await import(pathToFileURL(script));
    const from = await fingerprint(await paper.arrayBuffer());
    const to = await fingerprint(await other.arrayBuffer());
    const forged = Buffer.from((await text(certificate)).replaceAll(from, to), "latin1");
    assert.equal(await verdict(new Blob([forged]), other), "altered");
  });

  test(`${name} of another service is a stranger`, async () => {
    assert.equal(await verdict(certificate, paper, []), "stranger");
    assert.equal(await verdict(certificate, paper, ["0".repeat(64)]), "stranger");
  });

  test(`${name} with a second mark is none`, async () => {
    const its = (await text(certificate)).match(/quorate-certificate:1 sha256:[^<)"]*/)[0];
    const other = its.replace(/sha256:./, (digit) => (digit.endsWith("0") ? "sha256:1" : "sha256:0"));
    assert.equal(await verdict(new Blob([certificate, other]), paper), "none");
    assert.equal(await verdict(new Blob([certificate, "quorate-certificate:"]), paper), "none");
  });
}

test("a title that imitates a mark is not taken for one", async () => {
  for (const name of ["imitation.pdf", "imitation.json"]) {
    const certificate = await load(name);
    assert.equal(await verdict(certificate, paper), "together", name);
    assert.equal(mark(new Uint8Array(await certificate.arrayBuffer())).sha256.startsWith("00"), false);
  }
});

test("a certificate names its approval, and one from before it did is still one", async () => {
  for (const name of ["certificate.pdf", "certificate.json"]) {
    assert.equal((await check(await load(name), paper, [key])).approval, approval, name);
  }
  const bytes = (its) => new TextEncoder().encode(`quorate-certificate:1 sha256:${"a".repeat(64)}${its} key:${"b".repeat(64)} signature:${"c".repeat(128)}`);
  assert.equal(mark(bytes(` approval:${approval}`)).approval, approval);
  const early = mark(bytes(""));
  assert.deepEqual([early.sha256, early.approval], ["a".repeat(64), undefined]);
  assert.equal(mark(bytes(" approval:../../sign-in")), null);
});

test("the server is asked with the id and the SHA-256 and nothing else", async (t) => {
  const asked = [];
  const answers = async (status, said) => {
    t.mock.method(globalThis, "fetch", async (...call) => (asked.push(call), new Response(JSON.stringify(said), { status })));
    return ask(approval, "a".repeat(64));
  };
  assert.deepEqual(await answers(200, { state: "adopted", newest: true }), { answer: "newest", state: "adopted" });
  assert.deepEqual(await answers(200, { state: "stale", newest: false }), { answer: "older", state: "stale" });
  assert.deepEqual(await answers(200, { state: null, newest: null }), { answer: "silent" });
  assert.deepEqual(await answers(404, "There is nothing here."), { answer: "unknown" });
  assert.deepEqual(await answers(429, "Too many attempts."), { answer: "untold" });
  for (const [address, how] of asked) {
    assert.equal(address, `/known/${approval}/${"a".repeat(64)}`);
    assert.equal(how.credentials, "omit");
    assert.equal(how.body, undefined);
  }
});

test("two files of which neither is a certificate are none", async () => {
  assert.equal(await verdict(paper, paper), "none");
});

test("what is too large is not read", async () => {
  const { MOST } = await import(pathToFileURL(script));
  const certificate = await load("certificate.pdf");
  const unread = (size) => ({ size, arrayBuffer: () => assert.fail("it was read") });
  assert.equal(await verdict(certificate, unread(MOST.file + 1)), "large");
  assert.equal(await verdict(unread(MOST.file + 1), paper), "large");
  assert.equal(await verdict(unread(MOST.certificate + 1), paper), "large");
});
