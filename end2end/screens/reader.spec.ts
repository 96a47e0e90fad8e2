import { test, type Page } from '@playwright/test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SENTENCE, photograph, policy } from '../lib/papers.ts';
import { FOLDER } from '../lib/pictures.ts';
import { ReaderServer } from '../lib/reader.ts';

const MARKS = [
  { id: 'q1', page: 1, exact: SENTENCE, prefix: 'academic year.', suffix: ', with the reasons', state: 'open' },
  { id: 'q2', page: 1, exact: 'Every use is written down the same day and parents are told.', state: 'answered' },
  { id: 'q3', page: 1, exact: 'no child can be recognised', state: 'note' },
];
const CHANGES = [
  { page: 1, added: ['in a single academic year'], removed: ['in one school year'] },
  { page: 7, added: ['by year group and by context'], removed: [] },
];

/** The reader at the three widths: light, dark as the device has it, and night reading on a light device. */
test('the reader', async ({ page }) => {
  mkdirSync(FOLDER, { recursive: true });
  const server = await ReaderServer.start({ bytes: await policy(), marks: MARKS, changes: CHANGES, print: true });
  for (const width of [320, 390, 820, 1440]) {
    await page.setViewportSize({ width, height: width < 400 ? 844 : width === 820 ? 1180 : 900 });
    for (const look of ['light', 'dark', 'night']) {
      await page.emulateMedia({ colorScheme: look === 'dark' ? 'dark' : 'light', reducedMotion: 'reduce' });
      await page.goto(`${server.origin}/paper`);
      await page.evaluate((night) => (night ? localStorage.setItem('reader-night', 'on') : localStorage.removeItem('reader-night')), look === 'night');
      await page.reload();
      const frame = page.frameLocator('paper-reader iframe');
      await frame.locator('.badge').first().waitFor();
      const shot = (name: string) => page.screenshot({ path: join(FOLDER, `reader-${name}-${width}-${look}.png`) });
      await shot('page');
      await frame.locator('#stage').press('/');
      await frame.getByLabel('Find in the paper').last().fill('pupil');
      await frame.locator('#count').getByText('of').waitFor();
      await frame.getByRole('button', { name: 'Contents' }).click();
      await frame.locator('#menu').click();
      await shot('open');
      await page.keyboard.press('Escape');
      await page.goto(`${server.origin}/paper#page=2`);
      await page.reload();
      await frame.locator('[data-page="2"] .textLayer span').first().waitFor();
      await shot('picture');
    }
  }
  await server.stop();
});

test('what happens in it', async ({ page }) => {
  const server = await ReaderServer.start({ bytes: await policy(40), marks: MARKS, changes: CHANGES });
  for (const [width, look] of [[390, 'light'], [820, 'dark'], [1440, 'light']] as const) {
    await page.setViewportSize({ width, height: 844 });
    await page.emulateMedia({ colorScheme: look, reducedMotion: 'reduce' });
    await page.goto(`${server.origin}/paper`);
    await page.reload();
    const frame = page.frameLocator('paper-reader iframe');
    await frame.locator('.badge').first().waitFor();
    const shot = (name: string) => page.screenshot({ path: join(FOLDER, `reader-${name}-${width}.png`) });
    await frame.locator('.textLayer').first().evaluate((layer) => document.getSelection()!.setBaseAndExtent(layer.children[4].firstChild!, 4, layer.children[6].firstChild!, 20));
    await frame.getByRole('button', { name: 'Ask about this' }).waitFor();
    await shot('ask');
    await frame.locator('summary').first().click();
    await shot('changed');
    await frame.locator('#stage').press('?');
    await shot('keys');
    await frame.getByRole('dialog').getByRole('button').click();
    server.tag = '"2"';
    await page.evaluate(() => (document.querySelector('paper-reader') as HTMLElement & { close(sentence: string): void }).close('The chair has withdrawn this paper. Ask the clerk if you still need it.'));
    await frame.getByRole('alert').waitFor();
    await shot('closed');
  }
  await server.stop();
});

test('other kinds', async ({ page }) => {
  for (const [kind, bytes] of Object.entries(KINDS)) {
    const server = await ReaderServer.start({ bytes, kind, name: `A ${kind}` });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: 820, height: 900 });
      await page.goto(`${server.origin}/paper`);
      await page.frameLocator('paper-reader iframe').locator('.page').waitFor();
      await settle(page);
      await page.screenshot({ path: join(FOLDER, `reader-${kind}-${colorScheme}.png`) });
    }
    await server.stop();
  }
});

const KINDS: Record<string, Uint8Array> = {
  csv: Buffer.from(`Name,Post,Term ends,Note\n${Array.from({ length: 40 }, (_, row) => `Governor ${row},Parent,2027-0${(row % 9) + 1}-01,"Came in, spoke about ""exclusions"""`).join('\n')}`),
  text: Buffer.from(`Minutes of the meeting\n\n${'The board heard the head teacher and asked about attendance. '.repeat(12)}\n\n1. Apologies\n2. Minutes`),
  image: photograph(),
};
const settle = (page: Page) => page.waitForTimeout(300);
