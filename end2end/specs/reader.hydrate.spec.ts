import axe from 'axe-core';
import { expect, test as base, type Frame, type FrameLocator, type Page } from '@playwright/test';
import { SENTENCE, hostile, pack, photograph, policy, sealed, sheets, tagged } from '../lib/papers.ts';
import { ReaderServer, type Paper } from '../lib/reader.ts';

// The reader by itself: the files of `public` with the headers that the server gives them, in a page with the policy of a page.

interface Told { what: string; at: number; page?: number; id?: string; kind?: string; exact?: string; prefix?: string; suffix?: string; start?: number; end?: number }

class Reading {
  /** What no page may do, unless the test brings it about. */
  readonly faults: string[] = [];
  readonly frame: FrameLocator;

  constructor(
    readonly page: Page,
    readonly server: ReaderServer,
  ) {
    this.frame = page.frameLocator('paper-reader iframe');
  }

  get stage() {
    return this.frame.locator('#stage');
  }

  /** The frame itself, to run something in it. */
  inside(): Frame {
    return this.page.frames().find((frame) => frame.url().includes('/reader/frame.html'))!;
  }

  words(page = 1) {
    return this.frame.locator(`.page[data-page="${page}"] .textLayer span[role="presentation"]`);
  }

  async told(what: string): Promise<Told[]> {
    return (await this.page.evaluate(() => (window as unknown as { told: Told[] }).told)).filter((one) => one.what === what);
  }

  /** Chooses words with the pointer's result: a selection from one text to another. */
  async choose(from: string, to: string, page = 1): Promise<void> {
    await this.inside().evaluate(
      ([first, last, number]) => {
        const spans = [...document.querySelectorAll(`[data-page="${number}"] .textLayer span`)];
        const place = (words: string) => {
          for (const span of spans) for (const node of span.childNodes) if (node.nodeType === 3 && node.textContent!.includes(words)) return { node, offset: node.textContent!.indexOf(words) };
          throw new Error(`no ${words}`);
        };
        const [start, end] = [place(first), place(last)];
        document.getSelection()!.setBaseAndExtent(start.node, start.offset, end.node, end.offset + last.length);
      },
      [from, to, String(page)],
    );
  }
}

type Read = (paper?: Partial<Paper>, how?: { hash?: string; awaited?: boolean }) => Promise<Reading>;

const test = base.extend<{ read: Read }>({
  read: async ({ page }, use) => {
    const readings: Reading[] = [];
    await use(async (paper = {}, { hash = '', awaited = true } = {}) => {
      const server = await ReaderServer.start({ bytes: paper.bytes ?? (await policy()), ...paper });
      const reading = new Reading(page, server);
      readings.push(reading);
      page.on('console', (line) => ['error', 'warning'].includes(line.type()) && reading.faults.push(`${line.text()} (${line.location().url})`));
      page.on('pageerror', (error) => reading.faults.push(String(error)));
      page.on('dialog', (dialog) => {
        reading.faults.push(`a dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on('request', (request) => /^(http:\/\/localhost:|blob:|data:)/.test(request.url()) || reading.faults.push(`a request to ${request.url()}`));
      await page.goto(`${server.origin}/paper${hash}`);
      if (awaited) await expect(reading.frame.locator('#bar')).toBeVisible();
      return reading;
    });
    for (const { server, faults } of readings) {
      await server.stop();
      expect(faults, 'what no page may do').toEqual([]);
      expect(server.strange, 'what nobody may ask for').toEqual([]);
    }
  },
});

test.describe('a paper', () => {
  test('is shown page under page, with words that can be chosen and read aloud in order', async ({ read }) => {
    const reading = await read();
    await expect(reading.words()).not.toHaveCount(0);
    await expect(reading.frame.getByRole('region', { name: 'Page 1 of 12', exact: true })).toBeVisible();
    await expect(reading.frame.locator('.page')).toHaveCount(12);
    expect(await reading.page.locator('paper-reader iframe').getAttribute('title')).toBe('Reader: Behaviour policy');
    const words = await reading.frame.locator('[data-page="1"] .textLayer').innerText();
    expect(words.replace(/\s+/g, ' ')).toContain('Section 1. The head teacher may suspend a pupil');
    await reading.choose('The head teacher', 'academic year.');
    expect((await reading.inside().evaluate(() => document.getSelection()!.toString())).replace(/\s+/g, ' ')).toContain('up to a maximum of forty-five');
    // Something was drawn: not all of the first canvas is paper.
    const ink = await reading.inside().evaluate(() => {
      const canvas = document.querySelector('canvas')!;
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      let dark = 0;
      for (let index = 0; index < data.length; index += 4) if (data[index] < 128) dark += 1;
      return dark;
    });
    expect(ink).toBeGreaterThan(1000);
  });

  test('is told by a screen reader as it describes itself', async ({ read }) => {
    const reading = await read({ bytes: await tagged() });
    await expect(reading.frame.getByRole('heading', { name: /^4\s*Attendance$/, level: 2 })).toBeVisible();
    await expect(reading.frame.getByRole('img', { name: 'A line that rises from 91 to 95 per cent' })).toBeAttached();
    await expect(reading.frame.locator('[aria-hidden] > span').getByText('Page footer')).toBeAttached();
    await reading.stage.press('/');
    await reading.frame.getByRole('searchbox').fill('rose in the spring');
    await expect(reading.frame.locator('#count')).toHaveText('1 of 1');
    const words = (await reading.words().filter({ hasText: 'It rose' }).boundingBox())!;
    const hit = (await reading.frame.locator('.hit').boundingBox())!;
    expect(Math.abs(hit.y - words.y)).toBeLessThan(4);
  });

  test('has its page in the address, and goes where the address says', async ({ read }) => {
    const reading = await read({}, { hash: '#page=4' });
    const field = reading.frame.getByLabel('Page', { exact: true });
    await expect(field).toHaveValue('4');
    await reading.page.evaluate(() => (location.hash = '#page=9'));
    await expect(field).toHaveValue('9');
    await field.fill('6');
    await field.press('Enter');
    await expect(reading.page).toHaveURL(/#page=6$/);
    await field.fill('600');
    await field.press('Enter');
    await expect(reading.page).toHaveURL(/#page=12$/);
    await expect(field).toHaveValue('12');
    const turned = (await reading.told('page')).map(({ page }) => page);
    expect(turned.at(-1)).toBe(12);
    // Pages that were only passed through are not told.
    expect(turned.length).toBeLessThanOrEqual(4);
  });

  test('is moved through with keys, which are told', async ({ read }) => {
    const reading = await read();
    const field = reading.frame.getByLabel('Page', { exact: true });
    const press = (key: string) => reading.stage.press(key);
    await reading.stage.focus();
    for (const [key, page] of [['n', '2'], ['ArrowRight', '3'], ['p', '2'], ['End', '12'], ['ArrowLeft', '11'], ['Home', '1']]) {
      await press(key);
      await expect(field, key).toHaveValue(page);
    }
    const top = () => reading.stage.evaluate((stage) => stage.scrollTop);
    await press('PageDown');
    await expect.poll(top).toBeGreaterThan(300);
    const scale = reading.frame.locator('#bar .scale');
    const before = await scale.innerText();
    await press('+');
    await expect(scale).not.toHaveText(before);
    await press('9');
    await expect(reading.frame.locator('[data-do="fit-page"]')).toHaveAttribute('aria-pressed', 'true');
    expect(await reading.frame.locator('[data-page="1"] .sheet').evaluate((sheet) => sheet.getBoundingClientRect().height <= document.getElementById('stage')!.clientHeight)).toBe(true);
    await press('g');
    await expect(field).toBeFocused();
    await field.press('Escape');
    await reading.stage.focus();
    await press('?');
    await expect(reading.frame.getByRole('dialog', { name: 'Keys' })).toBeVisible();
    await reading.frame.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await expect(reading.frame.getByRole('dialog')).toHaveCount(0);
  });

  test('tells who cannot see it which page was turned to, and nothing while it is scrolled', async ({ read }) => {
    const reading = await read();
    const field = reading.frame.getByLabel('Page', { exact: true });
    const turned = reading.frame.locator('#turned');
    await expect(turned).toHaveRole('status');
    await expect(turned).toBeEmpty();
    await reading.frame.getByRole('button', { name: 'Next page' }).click();
    await expect(turned).toHaveText('Page 2 of 12');
    await reading.stage.press('End');
    await expect(turned).toHaveText('Page 12 of 12');
    await field.fill('7');
    await field.press('Enter');
    await expect(turned).toHaveText('Page 7 of 12');
    await reading.stage.evaluate((stage) => stage.scrollBy(0, -2 * document.querySelector('.page')!.getBoundingClientRect().height));
    await expect(field).toHaveValue('5');
    await expect(turned).toBeEmpty();
    // The same page again is told again.
    await field.fill('7');
    await field.press('Enter');
    await expect(turned).toHaveText('Page 7 of 12');
  });

  test('keeps the place under the pointer when it is made larger', async ({ read }) => {
    const reading = await read({}, { hash: '#page=3' });
    await expect(reading.words(3)).not.toHaveCount(0);
    const heading = reading.words(3).first();
    const before = (await heading.boundingBox())!;
    await reading.page.mouse.move(before.x + 2, before.y + before.height / 2);
    await reading.page.keyboard.down('Control');
    await reading.page.mouse.wheel(0, -60);
    await reading.page.keyboard.up('Control');
    await expect.poll(async () => (await heading.boundingBox())!.height / before.height).toBeGreaterThan(1.2);
    const after = (await heading.boundingBox())!;
    expect(Math.abs(after.y + after.height / 2 - before.y - before.height / 2)).toBeLessThan(12);
    await expect(reading.frame.getByLabel('Page', { exact: true })).toHaveValue('3');
  });

  test('has its contents, and links that lead within it', async ({ read }) => {
    const reading = await read();
    await reading.frame.getByRole('button', { name: 'Contents' }).click();
    await reading.frame.getByRole('navigation').getByRole('button', { name: 'Section 5' }).click();
    await expect(reading.frame.getByLabel('Page', { exact: true })).toHaveValue('5');
    await reading.page.evaluate(() => (location.hash = '#page=1'));
    await reading.frame.getByRole('button', { name: 'Go to this place in the paper' }).click();
    await expect(reading.frame.getByLabel('Page', { exact: true })).toHaveValue('12');
  });

  test('is searched from the page one looks at, with a count', async ({ read }) => {
    const reading = await read({}, { hash: '#page=3' });
    await expect(reading.words(3)).not.toHaveCount(0);
    await reading.stage.press('/');
    const sought = reading.frame.getByRole('searchbox', { name: 'Find in the paper' });
    await expect(sought).toBeFocused();
    await sought.fill('SECTION 7.');
    const count = reading.frame.locator('#count');
    await expect(count).toHaveText('1 of 1');
    await expect(reading.frame.getByLabel('Page', { exact: true })).toHaveValue('7');
    await expect(reading.frame.locator('.hit.here')).toHaveCount(1);
    // over the end of a line, where the word is broken as well
    await sought.fill('and the arrangements made');
    await expect(count).toHaveText(/^\d+ of 12$/);
    const first = await count.innerText();
    await sought.press('Enter');
    await expect(count).not.toHaveText(first);
    await sought.press('Shift+Enter');
    await expect(count).toHaveText(first);
    await sought.fill('a word that is not there');
    await expect(count).toHaveText('Not found');
    await sought.press('Escape');
    await expect(sought).toBeHidden();
    await expect(reading.frame.locator('.hit')).toHaveCount(0);
  });

  test('is dark at night as the device has it, can be switched, and leaves pictures as they are', async ({ read, page }) => {
    await page.emulateMedia({ colorScheme: 'dark' });
    const reading = await read({}, { hash: '#page=2' });
    await expect(reading.words(2)).not.toHaveCount(0);
    const night = reading.frame.getByRole('button', { name: 'Night reading' }).first();
    await expect(night).toHaveAttribute('aria-pressed', 'true');
    const sheet = (await reading.frame.locator('[data-page="2"] .sheet').boundingBox())!;
    const seen = async (x: number, y: number) => {
      const shot = await page.screenshot({ clip: { x: sheet.x + (sheet.width * x) / 595, y: sheet.y + (sheet.height * (842 - y)) / 842, width: 1, height: 1 } });
      return reading.page.evaluate(async (data) => {
        const image = await createImageBitmap(new Blob([Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))]));
        const canvas = new OffscreenCanvas(1, 1);
        canvas.getContext('2d')!.drawImage(image, 0, 0);
        return [...canvas.getContext('2d')!.getImageData(0, 0, 1, 1).data.slice(0, 3)];
      }, shot.toString('base64'));
    };
    await reading.stage.press('9');
    await page.waitForTimeout(600);
    Object.assign(sheet, await reading.frame.locator('[data-page="2"] .sheet').boundingBox());
    expect(Math.max(...(await seen(20, 800)))).toBeLessThan(60);
    const [red, , blue] = await seen(90, 140);
    expect(red).toBeGreaterThan(150);
    expect(blue).toBeLessThan(90);
    await night.click();
    await expect(night).toHaveAttribute('aria-pressed', 'false');
    expect(Math.min(...(await seen(20, 800)))).toBeGreaterThan(245);
    await page.reload();
    await expect(reading.frame.getByRole('button', { name: 'Night reading' }).first()).toHaveAttribute('aria-pressed', 'false');
  });
});

test.describe('a long paper', () => {
  test.describe.configure({ mode: 'serial' });
  let long: Uint8Array;
  test.beforeAll(async () => {
    long = await pack();
  });

  test('shows its first page before much of it was fetched', async ({ read }) => {
    expect(long.length).toBeGreaterThan(30 * 1024 * 1024);
    const reading = await read({ bytes: long }, { awaited: false });
    await expect.poll(async () => (await reading.told('shown')).length, { intervals: [20] }).toBeGreaterThan(0);
    const { sent, parts } = reading.server;
    const [{ at }] = await reading.told('shown');
    console.log(`first page of ${(long.length / 1024 / 1024).toFixed(1)} MiB, 200 pages: ${Math.round(at)} ms after the page began to load, ${Math.round(sent / 1024)} KiB in ${parts.length} parts`);
    expect(at).toBeLessThan(6000);
    expect(sent).toBeLessThan(4 * 1024 * 1024);
    expect(parts.length).toBeGreaterThan(1);
  });

  test('keeps only a few pages drawn, however far one goes', async ({ read }) => {
    const reading = await read({ bytes: long });
    const field = reading.frame.getByLabel('Page', { exact: true });
    for (const page of [1, 20, 40, 60, 80, 100, 150, 200]) {
      await field.fill(String(page));
      await field.press('Enter');
      await expect(reading.words(page).first()).toBeAttached();
      expect(await reading.frame.locator('canvas:not(.picture)').count(), `drawn at page ${page}`).toBeLessThanOrEqual(5);
      expect(await reading.frame.locator('.textLayer').count()).toBeLessThanOrEqual(5);
    }
    expect(reading.server.sent).toBeLessThan(long.length / 2);
    // Of small pages many are seen at once, and each of them is drawn; of huge ones few.
    const drawn = () =>
      reading.inside().evaluate(() => {
        const canvases = [...document.querySelectorAll('.sheet > canvas:not(.picture)')] as HTMLCanvasElement[];
        const stage = document.getElementById('stage')!.getBoundingClientRect();
        const seen = [...document.querySelectorAll('.page')].filter((page) => page.getBoundingClientRect().top < stage.bottom && page.getBoundingClientRect().bottom > stage.top);
        return { pixels: canvases.map(({ width, height }) => width * height), blank: seen.filter((page) => !page.querySelector('canvas')).length, seen: seen.length };
      });
    await reading.page.setViewportSize({ width: 1280, height: 1600 });
    for (let step = 0; step < 12; step += 1) await reading.stage.press('-');
    await expect.poll(async () => (await drawn()).blank).toBe(0);
    expect((await drawn()).seen).toBeGreaterThan(3);
    for (let step = 0; step < 17; step += 1) await reading.stage.press('+');
    await expect.poll(async () => (await drawn()).blank).toBe(0);
    await expect(reading.frame.locator('#bar .scale')).toHaveText('500 %');
    await expect.poll(async () => Math.max(...(await drawn()).pixels)).toBeGreaterThan(10_000_000);
    expect(Math.max(...(await drawn()).pixels), 'what a telephone’s browser still draws').toBeLessThanOrEqual(16_000_000);
  });

  test('waits for a lost connection, keeps what is shown, and goes on', async ({ read }) => {
    const reading = await read({ bytes: long });
    await expect(reading.words().first()).toBeAttached();
    reading.server.down = true;
    const field = reading.frame.getByLabel('Page', { exact: true });
    await field.fill('120');
    await field.press('Enter');
    await expect(reading.frame.locator('#word')).toContainText('The connection is lost');
    await expect(reading.words().first()).toBeAttached();
    reading.server.down = false;
    await expect(reading.words(120).first()).toBeAttached({ timeout: 20_000 });
    await expect(reading.frame.locator('#word')).toBeEmpty();
    await expect(field).toHaveValue('120');
    expect(reading.faults.every((fault) => /ERR_EMPTY_RESPONSE|Failed to load resource/.test(fault))).toBe(true);
    reading.faults.length = 0;
  });

  for (const [what, make, sentence] of [
    ['access has ended', (server: ReaderServer) => (server.refusal = 404), 'This paper cannot be opened any more'],
    ['the session has ended', (server: ReaderServer) => (server.refusal = 303), 'You are not signed in any more'],
    ['the file was changed', (server: ReaderServer) => (server.tag = '"2"'), 'The file has changed since it was opened'],
  ] as const) {
    test(`is emptied at once when ${what}`, async ({ read }) => {
      const reading = await read({ bytes: long });
      await expect(reading.words().first()).toBeAttached();
      make(reading.server);
      const field = reading.frame.getByLabel('Page', { exact: true });
      await field.fill('150');
      await field.press('Enter');
      await expect(reading.frame.getByRole('alert')).toContainText(sentence);
      await expect(reading.frame.locator('canvas, .textLayer, .page, .badge')).toHaveCount(0);
      await expect(reading.frame.locator('#bar')).toBeHidden();
      expect(await reading.inside().evaluate(() => document.documentElement.innerText)).not.toContain('Section');
      reading.faults.length = 0; // the refusal itself is a line on the console
    });
  }
});

test('a paper of ten thousand pages is opened at its last, and gone through', async ({ read }) => {
  const reading = await read({ bytes: sheets(10_000) }, { hash: '#page=10000' });
  const field = reading.frame.getByLabel('Page', { exact: true });
  await expect(reading.words(10_000)).toHaveText('Sheet 10000');
  await expect(field).toHaveValue('10000');
  await expect(reading.frame.locator('#of')).toHaveText('of 10000');
  await expect(reading.page).toHaveURL(/#page=10000$/);
  await reading.stage.press('Home');
  await expect(reading.words(1)).toHaveText('Sheet 1');
  await field.focus();
  await reading.page.keyboard.type('9876');
  await reading.page.keyboard.press('Enter');
  await expect(reading.words(9876)).toHaveText('Sheet 9876');
  await field.focus();
  await reading.page.keyboard.type('10000');
  await reading.page.keyboard.press('Enter');
  await expect(field).toHaveValue('10000');
  await expect(reading.words(10_000)).toBeInViewport();
  expect(await field.evaluate((input: HTMLInputElement) => input.scrollWidth <= input.clientWidth), 'all five figures are seen').toBe(true);
  // However large: a browser lays out no more than so much, and the last page would be beyond it.
  for (let step = 0; step < 12; step += 1) await reading.stage.press('+');
  await reading.stage.press('Home');
  await expect(reading.words(1)).toBeInViewport();
  await reading.stage.press('End');
  await expect(reading.words(10_000)).toBeInViewport();
  await expect(field).toHaveValue('10000');
  expect(await reading.frame.locator('.textLayer').count()).toBeLessThanOrEqual(24);
});

test.describe('a paper that is taken back', () => {
  test('is emptied when the page says so', async ({ read }) => {
    const reading = await read();
    await expect(reading.words().first()).toBeAttached();
    await reading.page.evaluate(() => document.querySelector('paper-reader')!.setAttribute('data-closed', 'The chair has withdrawn this paper.'));
    await expect(reading.frame.getByRole('alert')).toHaveText('The chair has withdrawn this paper.');
    await expect(reading.frame.locator('canvas, .textLayer, .page')).toHaveCount(0);
    await expect.poll(() => reading.page.workers().length).toBe(0);
  });

  test('is never opened when access has ended before', async ({ page, read }) => {
    const reading = await read({ bytes: await policy(2) });
    reading.server.refusal = 403;
    await page.reload();
    await expect(reading.frame.getByRole('alert')).toContainText('This paper cannot be opened any more');
    reading.faults.length = 0;
  });
});

test.describe('the frame', () => {
  test('has an origin of its own: it reaches neither the page, nor its cookies, nor its host', async ({ read }) => {
    const reading = await read();
    const found = await reading.inside().evaluate(async () => {
      const attempt = async (act: () => unknown) => {
        try {
          return `got ${String(await act())}`;
        } catch (error) {
          return (error as Error).name;
        }
      };
      return {
        origin: self.origin,
        page: await attempt(() => parent.document.title),
        top: await attempt(() => top!.location.href),
        cookie: await attempt(() => document.cookie),
        storage: await attempt(() => localStorage.length),
        secret: await attempt(async () => (await fetch('/api/secret', { credentials: 'include' })).text()),
        away: await attempt(async () => (await fetch('https://evil.example/')).text()),
        image: await attempt(() => new Promise((done, failed) => Object.assign(new Image(), { onload: done, onerror: () => failed(new Error('refused')), src: '/api/secret' }))),
        script: await attempt(() => new Function('return 1')()),
        popup: await attempt(() => open('/away')),
        form: await attempt(() => {
          const form = Object.assign(document.createElement('form'), { action: '/away', method: 'post', target: '_blank' });
          document.body.append(form);
          form.submit();
          form.remove();
        }),
        move: await attempt(() => {
          top!.location.href = '/away';
        }),
      };
    });
    expect(found).toEqual({
      origin: 'null', page: 'SecurityError', top: 'SecurityError', cookie: 'SecurityError', storage: 'SecurityError', secret: 'TypeError', away: 'TypeError',
      image: 'Error', script: 'EvalError', popup: 'got null', form: 'got undefined', move: 'SecurityError',
    });
    await reading.page.waitForTimeout(300);
    expect(reading.page.url()).toContain('/paper');
    expect(reading.page.context().pages()).toHaveLength(1);
    expect(reading.server.strange).toEqual([]);
    reading.faults.length = 0; // each refusal is a line on the console, and that is what was wanted
  });

  test('hears only the page around it', async ({ read }) => {
    const reading = await read();
    await expect(reading.words().first()).toBeAttached();
    await reading.page.evaluate(() => {
      const frame = document.querySelector('paper-reader')!.shadowRoot!.querySelector('iframe')!;
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }) => data.type === 'range' && port1.postMessage({ type: 'bytes', id: data.id, bytes: new ArrayBuffer(1) });
      // A second opening is not heard, whoever sends it.
      frame.contentWindow!.postMessage({ type: 'open', kind: 'text', name: 'Another', length: 1, marks: [], changes: [] }, '*', [port2]);
      frame.contentWindow!.postMessage({ type: 'closed', sentence: 'no' }, '*');
    });
    await reading.page.waitForTimeout(200);
    await expect(reading.words().first()).toBeAttached();
  });

  test('is not believed: what it says reaches neither another file nor the page', async ({ page, read }) => {
    // As if pdf.js had been taken over: the frame says what it likes.
    await page.route('**/reader/frame.js', (route) =>
      route.fulfill({
        contentType: 'text/javascript',
        headers: { 'access-control-allow-origin': '*' },
        body: `addEventListener('message', ({ ports: [port] }) => {
          for (const part of [{ begin: 0, end: 1e12 }, { begin: -1, end: 5 }, { begin: '0-1,5', end: 9 }, { begin: 0, end: 10 }]) port.postMessage({ type: 'range', id: 1, ...part });
          for (const page of ['4&x', 1.5, -1, 1e9, { toString: null }]) port.postMessage({ type: 'page', page, pages: 3 });
          port.postMessage({ type: 'select', kind: 'delete', exact: 'x', page: 1, start: 0, end: 1 });
          port.postMessage({ type: 'select', kind: 'ask', exact: 'x', page: '1', start: 0, end: 1 });
          port.postMessage({ type: 'select', kind: 'ask', exact: 'y'.repeat(1e6), prefix: '<b>', suffix: '', page: 1, start: 0, end: 1 });
          port.postMessage({ type: 'mark', id: '<img>' });
          port.postMessage({ type: 'eval', code: 'alert(1)' });
        });`,
      }),
    );
    const reading = await read({}, { awaited: false });
    await expect.poll(async () => (await reading.told('mark')).length).toBe(1);
    await page.waitForTimeout(800); // longer than a page is looked at before it is told
    expect(reading.server.parts).toEqual([{ begin: 0, end: 10 }]);
    expect(await reading.told('page')).toEqual([]);
    const chosen = await reading.told('select');
    expect(chosen.map(({ exact }) => exact!.length)).toEqual([2000]);
    expect(page.url()).not.toContain('#');
  });

  test('a hostile paper does nothing: no script, no form, no program, no address', async ({ read, page }) => {
    const reading = await read({ bytes: await hostile() });
    await expect(reading.words().first()).toBeAttached();
    const messages = page.evaluate(() => new Promise((done) => { addEventListener('message', ({ data }) => done(data)); setTimeout(() => done('nothing'), 1500); }));
    const sheet = (await reading.frame.locator('.sheet').boundingBox())!;
    await page.mouse.click(sheet.x + sheet.width * 0.4, sheet.y + sheet.height * 0.3);
    await expect(reading.frame.locator('.links button')).toHaveCount(0);
    await expect(reading.frame.locator('.textLayer')).toContainText('<script>alert(2)</script>');
    await expect(reading.frame.locator('.textLayer script, .textLayer img, .sheet iframe, .sheet input, .sheet form')).toHaveCount(0);
    expect(await messages).toBe('nothing');
    expect(page.context().pages()).toHaveLength(1);
  });

  test('an address in a paper is shown, and opened by nobody', async ({ read, page }) => {
    const reading = await read();
    await reading.frame.getByRole('button', { name: 'Address: https://evil.example/away' }).click();
    const dialog = reading.frame.getByRole('dialog', { name: 'This leads out of the paper' });
    await expect(dialog.getByLabel('Address')).toHaveValue('https://evil.example/away');
    await dialog.getByRole('button', { name: 'Close' }).click();
    expect(page.context().pages()).toHaveLength(1);
  });

  test('says so when a part of its own does not come', async ({ page, read }) => {
    await page.route('**/pdfjs/pdf.worker.min.mjs', (route) => route.abort());
    const reading = await read({}, { awaited: false });
    await expect(reading.frame.getByRole('alert')).toContainText('The reader did not load');
    reading.faults.length = 0;
  });

  test('a damaged file says so', async ({ read }) => {
    const reading = await read({ bytes: Buffer.from('%PDF-1.7\nnothing of the kind') }, { awaited: false });
    await expect(reading.frame.getByRole('alert')).toContainText('This file cannot be shown here');
    reading.faults.length = 0;
  });
});

test.describe('marks', () => {
  const marks = [
    { id: 'q1', page: 4, exact: `  ${SENTENCE.replace('of more', 'of\nmore')}`, prefix: 'academic year. ', suffix: ', with the reasons', state: 'open' },
    { id: 'q2', page: 4, exact: 'the reasons and the arrange- ments made for the pupil\'s education', prefix: '', suffix: '', state: 'answered' },
    { id: 'q3', page: 4, exact: 'this sentence was taken out of the paper', prefix: '', suffix: '', state: 'note' },
    { id: 'q4', page: 5, exact: 'Section 4. The head teacher', prefix: '', suffix: '', state: 'open' },
  ];

  test('are found across lines and broken words, and on the page next to theirs', async ({ read }) => {
    const reading = await read({ marks }, { hash: '#page=4' });
    const on = (id: string) => reading.frame.locator(`[data-page="4"] .boxes [data-mark="${id}"]`);
    await expect(on('q1')).toHaveCount(2);
    await expect(on('q2')).toHaveCount(2);
    await expect(on('q4')).toHaveCount(1);
    // The first box lies over its first word.
    const words = (await reading.words(4).filter({ hasText: 'A suspension' }).boundingBox())!;
    const box = (await on('q1').first().boundingBox())!;
    expect(Math.abs(box.y + box.height / 2 - words.y - words.height / 2)).toBeLessThan(6);
    expect(box.x).toBeGreaterThan(words.x);
    const lost = reading.frame.getByRole('button', { name: /^Your note 3: its words are not on this page any more/ });
    await expect(lost).toBeVisible();
  });

  test('lead to what was said about them, from their number and from their words', async ({ read }) => {
    const reading = await read({ marks }, { hash: '#page=4' });
    // That the focus is sent there, and not that it arrives: with the frame in a process of its own, headless Chromium says at times
    // that no document has it.
    const said = reading.page.locator('#mark-q1');
    await said.evaluate((element: HTMLElement) => { element.focus = () => element.setAttribute('data-led', ''); });
    await reading.frame.getByRole('button', { name: /^Question 1: / }).click();
    await expect(said).toHaveAttribute('data-led', '');
    await expect(said).toHaveAttribute('tabindex', '-1');
    await said.evaluate((element) => element.removeAttribute('data-led'));
    const box = (await reading.frame.locator('[data-mark="q1"]').first().boundingBox())!;
    await reading.page.mouse.click(box.x + 20, box.y + box.height / 2);
    await expect(said).toHaveAttribute('data-led', '');
    expect((await reading.told('mark')).map(({ id }) => id)).toEqual(['q1', 'q1']);
  });

  test('are gone to from the page, and shown for a moment', async ({ read }) => {
    const reading = await read({ marks });
    await expect(reading.words().first()).toBeAttached();
    await reading.page.getByRole('link', { name: 'On page 4' }).click();
    await expect(reading.frame.locator('.flash').first()).toBeInViewport();
    await expect(reading.page).toHaveURL(/#page=4$/);
  });

  test('are gone to where the address of the page names one', async ({ read }) => {
    const reading = await read({ marks }, { hash: '#mark-q1' });
    await expect(reading.frame.getByLabel('Page', { exact: true })).toHaveValue('4');
    await expect(reading.frame.locator('.flash').first()).toBeInViewport();
    await expect(reading.page).toHaveURL(/#mark-q1$/);
  });

  test('of others appear without anything being moved', async ({ read }) => {
    const reading = await read({ marks: [] }, { hash: '#page=4' });
    await expect(reading.words(4).first()).toBeAttached();
    const top = await reading.stage.evaluate((stage) => stage.scrollTop);
    await reading.page.evaluate((list) => document.querySelector('paper-reader')!.setAttribute('data-marks', JSON.stringify(list)), marks);
    await expect(reading.frame.locator('.badge')).not.toHaveCount(0);
    expect(await reading.stage.evaluate((stage) => stage.scrollTop)).toBe(top);
    await reading.page.evaluate(() => document.querySelector('paper-reader')!.setAttribute('data-marks', '[]'));
    await expect(reading.frame.locator('.badge, .mark')).toHaveCount(0);
  });

  test('changed pages say so, and one goes from change to change', async ({ read }) => {
    const changes = [
      { page: 3, added: [SENTENCE], removed: ['within two school days'] },
      { page: 8, added: ['Section 8.'], removed: [] },
    ];
    const reading = await read({ changes });
    const next = reading.frame.getByRole('button', { name: 'Next change' });
    await next.click();
    await expect(reading.frame.getByLabel('Page', { exact: true })).toHaveValue('3');
    await expect(reading.frame.locator('[data-page="3"] .added')).toHaveCount(2);
    await reading.frame.locator('[data-page="3"] summary').click();
    await expect(reading.frame.locator('[data-page="3"] del')).toHaveText('within two school days');
    await next.click();
    await expect(reading.frame.getByLabel('Page', { exact: true })).toHaveValue('8');
    await next.click();
    await expect(reading.frame.getByLabel('Page', { exact: true })).toHaveValue('3');
    await expect(reading.frame.locator('#strip i')).toHaveCount(2);
  });
});

test('another file is opened when the page names another', async ({ read }) => {
  const reading = await read({}, { hash: '#page=3' });
  await expect(reading.words(3).first()).toBeAttached();
  reading.server.paper = { ...reading.server.paper, bytes: await policy(5) };
  await reading.page.evaluate((length) => Object.assign(document.querySelector<HTMLElement>('paper-reader')!.dataset, { src: '/paper/file?v=2', length }), reading.server.paper.bytes.length);
  await expect(reading.frame.locator('#of')).toHaveText('of 5');
  await expect(reading.frame.getByLabel('Page', { exact: true })).toHaveValue('3');
});

test('a server that knows no parts is no hindrance', async ({ page, read }) => {
  const reading = await read();
  reading.server.whole = true;
  reading.server.sent = 0;
  await page.reload();
  await expect(reading.words().first()).toBeAttached();
  expect(reading.server.sent).toBe(reading.server.paper.bytes.length);
});

test('a pointer that leaves the lines for the gap below them takes in no more than it passed', async ({ read, page }) => {
  const reading = await read();
  const line = reading.words().filter({ hasText: 'Section 1. The head' });
  const { x, y, height } = (await line.boundingBox())!;
  await page.mouse.move(x + 120, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + 150, y + height * 1.5, { steps: 3 });
  await page.mouse.move(x + 200, y + height * 6, { steps: 8 });
  const chosen = await reading.inside().evaluate(() => document.getSelection()!.toString());
  expect(chosen.length).toBeGreaterThan(100);
  expect(chosen.length).toBeLessThan(330);
  await page.mouse.up();
  await expect(reading.frame.getByRole('button', { name: 'Note for me' })).toBeVisible();
});

test('words that are chosen fill the page’s form', async ({ read }) => {
  const reading = await read({}, { hash: '#page=2' });
  await expect(reading.words(2).first()).toBeAttached();
  await reading.choose('Section 2. The head', 'up to a', 2);
  await reading.choose('maximum of forty-five', 'the arrange', 2);
  const ask = reading.frame.getByRole('button', { name: 'Ask about this' });
  await expect(ask).toBeVisible();
  expect((await ask.boundingBox())!.height).toBeGreaterThanOrEqual(44);
  await ask.click();
  const form = reading.page.locator('form[data-quote]');
  await expect(form.getByLabel('Question')).toBeFocused();
  const value = (name: string) => form.locator(`[name="${name}"]`).inputValue();
  expect(await value('exact')).toMatch(/^maximum of forty-five school days in a single academic year\. A suspension .* with the reasons and the arrange$/);
  expect(await value('prefix')).toBe('for one or more fixed periods, up to a '.slice(-32));
  expect(await value('suffix')).toMatch(/^ments made for the pupil/);
  expect(await value('suffix')).toHaveLength(32);
  expect(await value('page')).toBe('2');
  expect(await value('position')).toMatch(/^\d+-\d+$/);
  await expect(form.locator('[data-quote-shown]')).toHaveText(await value('exact'));
  const [chosen] = await reading.told('select');
  expect(chosen).toMatchObject({ kind: 'ask', page: 2 });
  expect(chosen.end! - chosen.start!).toBe(chosen.exact!.length);
});

test('a redraw of the page leaves the reader and the filled form as they are, and brings new marks', async ({ read }) => {
  const reading = await read({}, { hash: '#page=4' });
  await expect(reading.words(4).first()).toBeAttached();
  await reading.choose('The head teacher', 'up to a', 4);
  await reading.frame.getByRole('button', { name: 'Ask about this' }).click();
  await reading.page.evaluate((marks) => {
    (document.activeElement as HTMLElement).blur();
    const main = document.querySelector('main')!;
    const next = main.cloneNode(true) as HTMLElement;
    next.querySelector('paper-reader')!.setAttribute('data-marks', marks);
    for (const field of next.querySelectorAll('input')) field.setAttribute('value', '');
    next.querySelector('h1')!.textContent = 'Drawn again';
    (window as unknown as { redraw(element: Element, html: string): void }).redraw(main, next.innerHTML);
  }, JSON.stringify([{ id: 'q1', page: 4, exact: SENTENCE, state: 'open' }]));
  await expect(reading.page.getByRole('heading', { name: 'Drawn again' })).toBeVisible();
  await expect(reading.frame.locator('[data-page="4"] .badge')).toHaveCount(1);
  await expect(reading.frame.getByLabel('Page', { exact: true })).toHaveValue('4');
  expect(await reading.page.locator('[name="exact"]').inputValue()).toContain('The head teacher');
  expect((await reading.told('shown')).filter(({ page }) => page === 4)).toHaveLength(1);
});

test('a paper is printed whole where that is allowed, and not at all where it is not', async ({ read, page }) => {
  const reading = await read({ bytes: await policy(3), print: true });
  const printed = reading.inside().evaluate(() => new Promise((done) => { window.print = () => done([...document.querySelectorAll<HTMLImageElement>('#printed img')].map(({ naturalWidth }) => naturalWidth)); }));
  await reading.frame.locator('#menu').click();
  await reading.frame.getByRole('button', { name: 'Print' }).click();
  const widths = (await printed) as number[];
  expect(widths).toHaveLength(3);
  expect(Math.min(...widths)).toBeGreaterThan(1000);
  await expect(reading.frame.locator('#printed')).toHaveCount(0);
  reading.server.paper = { ...reading.server.paper, print: undefined };
  await page.reload();
  await reading.frame.locator('#menu').click();
  await expect(reading.frame.getByRole('button', { name: 'Keys' })).toBeVisible();
  await expect(reading.frame.getByRole('button', { name: 'Print' })).toBeHidden();
  expect(await page.locator('paper-reader iframe').getAttribute('sandbox')).toBe('allow-scripts');
  await page.emulateMedia({ media: 'print' });
  await expect(reading.frame.locator('#body')).toBeHidden();
});

test('a file that does not permit it is not printed, whatever the page says', async ({ read, page }) => {
  const reading = await read({ bytes: sealed(-4), print: true });
  const print = reading.frame.getByRole('button', { name: 'Print' });
  await expect(reading.words()).toHaveText('For the screen');
  await reading.frame.locator('#menu').click();
  await expect(print).toBeVisible();
  reading.server.paper = { ...reading.server.paper, bytes: sealed(-8) };
  await page.reload();
  await expect(reading.words()).toHaveText('For the screen');
  await reading.frame.locator('#menu').click();
  await expect(reading.frame.getByRole('button', { name: 'Keys' })).toBeVisible();
  await expect(print).toBeHidden();
  await expect(reading.frame.locator('html[data-unprinted]')).toHaveCount(1);
});

test('printing that is taken from an open paper, or given to it, opens it again where it was', async ({ read }) => {
  const reading = await read({ print: true }, { hash: '#page=4' });
  await expect(reading.words(4).first()).toBeAttached();
  const print = reading.frame.locator('#print');
  await expect(print).not.toHaveAttribute('hidden');
  await reading.page.evaluate(() => document.querySelector('paper-reader')!.removeAttribute('data-print'));
  await expect(reading.page.locator('paper-reader iframe')).toHaveAttribute('sandbox', 'allow-scripts');
  await expect(reading.words(4).first()).toBeAttached();
  await expect(reading.frame.getByLabel('Page', { exact: true })).toHaveValue('4');
  await expect(print).toHaveAttribute('hidden');
  await reading.page.evaluate(() => document.querySelector('paper-reader')!.setAttribute('data-print', 'yes'));
  await expect(print).not.toHaveAttribute('hidden');
});

test.describe('other kinds', () => {
  test('a large picture comes in parts, and a part that is cut off does not begin it again', async ({ page, read }) => {
    // What stands behind a picture's end is fetched, and not looked at.
    const bytes = Buffer.concat([photograph(), Buffer.alloc(3 << 20)]);
    let asked = 0;
    await page.route('**/paper/file', (route) => ((asked += 1) === 5 ? route.abort() : route.continue()));
    const reading = await read({ kind: 'image', bytes, name: 'The new playground' });
    await expect(reading.frame.getByRole('img', { name: 'The new playground' })).toBeVisible();
    const { parts, sent } = reading.server;
    expect(Math.max(...parts.map(({ begin, end }) => end - begin))).toBeLessThanOrEqual(1 << 20);
    expect(sent).toBeGreaterThanOrEqual(bytes.length);
    expect(asked).toBe(parts.length + 1);
    expect(new Set(parts.map(({ begin, end }) => `${begin}-${end}`)).size, 'nothing twice').toBe(parts.length);
    expect(reading.faults.every((fault) => /Failed to load resource/.test(fault))).toBe(true); // the one that was cut off
    reading.faults.length = 0;
  });

  test('what has no pages has a start and an end', async ({ read }) => {
    const rows = Array.from({ length: 400 }, (_, row) => `${row},${row * 2}`);
    const reading = await read({ kind: 'csv', bytes: Buffer.from(`Number,Twice\n${rows.join('\n')}\n`) });
    const cell = (text: string) => reading.frame.getByRole('cell', { name: text, exact: true });
    await expect(cell('798')).not.toBeInViewport();
    await reading.stage.press('End');
    await expect(cell('798')).toBeInViewport();
    await reading.stage.press('Home');
    await expect(cell('798')).not.toBeInViewport();
    expect(await reading.stage.evaluate((stage) => stage.scrollTop)).toBe(0);
    await expect(reading.frame.locator('#turned')).toBeEmpty();
  });

  test('a picture is shown with its name, and can be made larger', async ({ read }) => {
    const reading = await read({ kind: 'image', bytes: photograph(), name: 'The new playground' });
    const image = reading.frame.getByRole('img', { name: 'The new playground' });
    await expect(image).toBeVisible();
    const before = (await image.boundingBox())!.width;
    await reading.frame.getByRole('button', { name: 'Larger' }).first().click();
    expect((await image.boundingBox())!.width).toBeGreaterThan(before);
    await expect(reading.frame.getByLabel('Page', { exact: true })).toBeHidden();
  });

  test('what only calls itself a picture is not shown', async ({ read }) => {
    const reading = await read({ kind: 'image', bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>') }, { awaited: false });
    await expect(reading.frame.getByRole('alert')).toContainText('This file cannot be shown here');
    reading.faults.length = 0;
  });

  test('a text is shown as it is, can be searched and asked about', async ({ read }) => {
    const reading = await read({ kind: 'text', bytes: Buffer.from('Minutes\n\nThe board <b>heard</b> the head\nteacher. Café.') });
    await expect(reading.frame.locator('pre')).toHaveText('Minutes\n\nThe board <b>heard</b> the head\nteacher. Café.', { useInnerText: true });
    await reading.stage.press('/');
    await reading.frame.getByRole('searchbox').fill('head teacher');
    await expect(reading.frame.locator('#count')).toHaveText('1 of 1');
    await expect(reading.frame.locator('.hit')).toHaveCount(2);
  });

  test('a long text says what is missing', async ({ read }) => {
    const reading = await read({ kind: 'text', bytes: Buffer.from('All work and no play.\n'.repeat(30_000)) });
    await expect(reading.frame.getByText('Only the first 500,000 letters are shown here')).toBeVisible();
  });

  test('of a huge text only the beginning is fetched, and no letter of it is broken', async ({ read }) => {
    let bytes = Buffer.alloc(60 << 20, `${'é'.repeat(79)}\n`);
    // Where it is cut a letter is half.
    while ((bytes[8 << 20] & 0xc0) !== 0x80) bytes = Buffer.concat([Buffer.from('a'), bytes]);
    const reading = await read({ kind: 'text', bytes });
    await expect(reading.frame.getByText('Only the first 500,000 letters are shown here')).toBeVisible();
    expect(await reading.frame.locator('pre').evaluate((whole) => /^a*[é\n]+$/.test(whole.textContent!))).toBe(true);
    expect(reading.server.sent).toBeLessThan(9 << 20);
  });

  test('a huge table ends with a whole row, and says after how many', async ({ read }) => {
    const row = (number: number) => `${number}${',y'.repeat(99)},${'x'.repeat(40_000)}\n`;
    const bytes = Buffer.from(Array.from({ length: 500 }, (_, number) => row(number)).join(''));
    const whole = bytes.subarray(0, 8 << 20).toString('latin1').split('\n').length - 2; // without the first, which is the heading, and the last, which is cut
    const reading = await read({ kind: 'csv', bytes });
    await expect(reading.frame.getByText(`Only the first ${whole} rows and the first 100 columns are shown here`)).toBeVisible();
    await expect(reading.frame.locator('tbody tr')).toHaveCount(whole);
    expect(reading.server.sent).toBeLessThan(9 << 20);
  });

  test('a table is a table, whatever its separator, and says where it is cut', async ({ read }) => {
    const rows = Array.from({ length: 5200 }, (_, row) => `"Parmar; Dilip ""D""";${row};=1+1`);
    const reading = await read({ kind: 'csv', bytes: Buffer.from(`\ufeffName;Number;Sum\r\n${rows.join('\r\n')}\r\n`) });
    await expect(reading.frame.getByRole('columnheader')).toHaveText(['Name', 'Number', 'Sum']);
    await expect(reading.frame.getByRole('cell').first()).toHaveText('Parmar; Dilip "D"');
    await expect(reading.frame.locator('tbody tr')).toHaveCount(5000);
    await expect(reading.frame.getByText('Only the first 5,000 rows are shown here')).toBeVisible();
  });
});

const WIDTHS = [320, 390, 820, 1440];
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
test('axe finds nothing, light, dark and at night, on a phone, a tablet and a laptop; and nothing is too wide', async ({ read, page }) => {
  test.setTimeout(180_000);
  const marks = [{ id: 'q1', page: 1, exact: SENTENCE, state: 'open' }];
  const reading = await read({ marks, changes: [{ page: 1, added: ['Section 1.'], removed: ['Part'] }], print: true });
  await expect(reading.frame.locator('.badge')).toHaveCount(1);
  await reading.stage.press('/');
  await reading.frame.getByRole('button', { name: 'Contents' }).click();
  const faults: string[] = [];
  const inside = reading.inside();
  await inside.evaluate(axe.source);
  await page.evaluate(axe.source);
  const look = async (where: string, what: Page | Frame = inside) => {
    const violations = await what.evaluate(async (values) => {
      const { axe } = window as unknown as { axe: { run(where: Document, options: object): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> } };
      return (await axe.run(document, { runOnly: { type: 'tag', values }, resultTypes: ['violations'], preload: false })).violations;
    }, RULES);
    for (const { id, nodes } of violations) faults.push(`${where}: ${id}, ${nodes[0].html} ${nodes[0].failureSummary}`);
    const wide = await inside.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) faults.push(`${where}: ${wide} px too wide`);
  };
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: width === 820 ? 1180 : 844 });
    for (const shade of ['light', 'dark', 'night']) {
      await page.emulateMedia({ colorScheme: shade === 'dark' ? 'dark' : 'light', reducedMotion: 'reduce' });
      await inside.evaluate((on) => {
        const button = document.getElementById('night')!;
        if ((button.getAttribute('aria-pressed') === 'true') !== on) button.click();
      }, shade !== 'light');
      await expect(reading.frame.locator('.badge')).toHaveCount(1);
      await look(`${width} ${shade}`);
      if (shade === 'light') await look(`${width}, the page around`, page);
      await inside.evaluate(() => (document.getElementById('keys') as HTMLDialogElement).showModal());
      await look(`${width} ${shade}, keys`);
      await inside.evaluate(() => (document.getElementById('keys') as HTMLDialogElement).close());
    }
  }
  expect(faults).toEqual([]);
  const own = /Applying inline style violates/; // axe tries one to see whether it may
  expect(reading.faults.filter((fault) => !own.test(fault))).toEqual([]);
  reading.faults.length = 0;
});

test('buttons are large enough for a finger', async ({ browser, read }) => {
  const reading = await read();
  const touching = await browser.newContext({ hasTouch: true, isMobile: true, viewport: { width: 320, height: 700 } });
  const page = await touching.newPage();
  await page.goto(`${reading.server.origin}/paper`);
  const frame = page.frameLocator('paper-reader iframe');
  await expect(frame.locator('#bar')).toBeVisible();
  for (const button of await frame.locator('#bar :is(button, input):visible').all()) {
    const { width, height } = (await button.boundingBox())!;
    expect(Math.min(width, height), await button.getAttribute('aria-label') ?? '').toBeGreaterThanOrEqual(44);
  }
  await expect(frame.locator('#menu')).toBeInViewport({ ratio: 1 });
  await touching.close();
});
