// Quorate's pages as a slow telephone has them: Chromium with Lighthouse's slow 4G and a processor four times as slow, an empty cache for
// each visit. Says in one line what it saw; `bench/src/pages/lab.rs` reads it.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [tests, executablePath, origin, cookie, visits] = process.argv.slice(2);
const { chromium } = createRequire(join(tests, 'package.json'))('@playwright/test');
const [name, value] = cookie.split('=');

// What Lighthouse sets where the browser itself holds the network back: 150 ms and 1.6 Mbit/s, as requests feel them.
const SLOW_4G = { offline: false, latency: 562.5, downloadThroughput: (1474.56 * 1024) / 8, uploadThroughput: (675 * 1024) / 8 };
const SLOWER = 4;
const TELEPHONE = { viewport: { width: 412, height: 823 }, deviceScaleFactor: 1.75, locale: 'en-GB' };
const PATIENCE = 60_000;

/** A first visit of somebody who is signed in, until the page is live. */
async function visit(browser, path) {
  const context = await browser.newContext(TELEPHONE);
  await context.addCookies([{ name, value, url: origin }]);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const wire = await context.newCDPSession(page);
  await wire.send('Network.enable');
  await wire.send('Network.setCacheDisabled', { cacheDisabled: true });
  await wire.send('Network.emulateNetworkConditions', SLOW_4G);
  await wire.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  const files = new Map();
  wire.on('Network.responseReceived', ({ requestId, response }) => files.set(requestId, { url: response.url, bytes: 0 }));
  wire.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (files.has(requestId)) files.get(requestId).bytes = encodedDataLength;
  });
  await page.addInitScript(() => {
    const seen = (window.seen = { lcp: 0, inputs: {} });
    new PerformanceObserver((list) => {
      for (const one of list.getEntries()) seen.lcp = one.startTime;
    }).observe({ type: 'largest-contentful-paint', buffered: true });
    new PerformanceObserver((list) => {
      for (const { interactionId, duration } of list.getEntries()) {
        if (interactionId) seen.inputs[interactionId] = Math.max(seen.inputs[interactionId] ?? 0, duration);
      }
    }).observe({ type: 'event', buffered: true, durationThreshold: 16 });
  });
  await page.goto(origin + path, { waitUntil: 'load', timeout: PATIENCE });
  await page.locator('.live[data-state=live]').waitFor({ state: 'attached' });
  await page.waitForTimeout(500);
  const lcp = await page.evaluate(() => window.seen.lcp);
  if (!(lcp > 0)) throw new Error(`nothing was painted at ${path}`);
  const program = [...files.values()].filter(({ url }) => /\.(js|wasm)$/.test(url));
  return { context, page, lcp, program: program.reduce((sum, { bytes }) => sum + bytes, 0) / 1000 };
}

/** Searches, chooses and opens, as somebody does who looks for a person; the slowest of it, in milliseconds. */
async function use(page) {
  const caption = page.locator('caption');
  const changed = async (act) => {
    const before = await caption.textContent();
    await act();
    await page.waitForFunction((before) => document.querySelector('caption')?.textContent !== before, before);
    await page.waitForTimeout(300);
  };
  await page.locator('#q').click();
  await changed(() => page.locator('#q').pressSequentially('ahm', { delay: 200 }));
  await changed(() => page.locator('.choices a', { hasText: 'Staff' }).click());
  await page.locator('tbody tr').first().getByRole('link').click();
  await page.locator('#sheet h1').waitFor();
  await page.waitForTimeout(500);
  const inputs = Object.values(await page.evaluate(() => window.seen.inputs));
  // Three letters and three clicks; what took less than a frame is not told.
  if (!inputs.length) throw new Error('the browser told of no interaction');
  return Math.max(...inputs);
}

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'] });
try {
  const seen = [];
  for (let n = 0; n < Number(visits); n++) {
    const home = await visit(browser, '/');
    await home.context.close();
    const people = await visit(browser, '/people');
    const inp = await use(people.page);
    await people.context.close();
    seen.push({ home: home.lcp, people: people.lcp, inp, program: home.program });
  }
  console.log(`seen ${JSON.stringify(seen)}`);
} finally {
  await browser.close();
}
