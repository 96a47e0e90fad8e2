import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { switchOn } from '../lib/pupils.ts';
import { observe, oneClass } from '../lib/records.ts';
import { serve } from '../lib/server.ts';
import { expect, NAMES, ready, School, test, type Who } from '../lib/test.ts';
import { traces } from '../lib/traces.ts';

// Words that stand nowhere else. Each is typed once, by hand, in a browser whose profile is kept, against a server that logs all it can.
const DISCLOSED = 'Quillwhisper7391';
const LANGUAGE = 'Zanzibarquux4480';
const WRITTEN = 'Marigoldtrellis2256';
const STORED = 'Bramblelantern6617';

test('a word that brings up the reminder, and a circumstance, are in no file of the server and of the browser', async ({ browser, playwright }) => {
  test.setTimeout(240_000);
  const server = await serve(1, { QUORATE_LOG: 'trace' });
  const port = process.env.E2E_PORT;
  process.env.E2E_PORT = String(server.port);
  const school = new School(browser, true, 'school-1', 'School 1');
  const profiles = join(server.folder, 'profiles');
  const frames: string[] = [];
  /** A browser whose profile stays on the disk when it is closed. */
  const as = async (who: Who): Promise<Page> => {
    const context = await playwright.chromium.launchPersistentContext(join(profiles, who), {
      baseURL: school.origin,
      executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
    await context.addCookies([await school.session(who)]);
    const page = context.pages()[0] ?? (await context.newPage());
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => void frames.push(String(payload)));
      socket.on('framereceived', ({ payload }) => void frames.push(String(payload)));
    });
    return page;
  };
  try {
    await mkdir(profiles, { recursive: true });
    const { aisha } = await oneClass(school);

    const teacher = await as('teacher1');
    await observe(teacher, aisha, `${WRITTEN} looked at the fish.`);
    await teacher.evaluate((word) => localStorage.setItem('trace', word), STORED);
    await teacher.goto(`${aisha}/records/add?kind=observation`);
    await ready(teacher);
    await teacher.getByLabel('What you saw').pressSequentially(`${DISCLOSED} has a bruise`);
    await expect(teacher.locator('#body ~ .prompt')).toContainText('tell your designated safeguarding lead now.');
    await teacher.waitForTimeout(2_000);
    await teacher.goto(aisha);
    await expect(teacher.getByText(WRITTEN).first()).toBeVisible();

    const admin = await as('admin');
    await switchOn(admin, 'Home language');
    await admin.goto(`${aisha}/circumstances`);
    const row = admin.locator('.switch').filter({ has: admin.getByText('Home language', { exact: true }) });
    await row.locator('summary').first().click();
    await row.getByLabel('Home language', { exact: true }).pressSequentially(LANGUAGE);
    await row.getByRole('button', { name: /^Save/ }).click();
    await expect(admin.getByText(LANGUAGE).first()).toBeVisible();
    // The whole log, as a school takes it away.
    await admin.goto('/audit');
    const taken = await admin.evaluate(async () => {
      const answer = await fetch('/audit/export', { method: 'POST', body: new URLSearchParams({ from: '', to: '' }) });
      return answer.ok ? answer.text() : `${answer.status}`;
    });
    expect(taken.length).toBeGreaterThan(1_000);
    await writeFile(join(server.folder, 'exported'), taken);

    for (const page of [teacher, admin]) await page.context().close();
    await school.close();
    await server.end();

    // What is meant to be kept is found, so that what is not found is not there.
    expect(await traces(join(server.folder, 'data'), WRITTEN), 'a record lies in the database').not.toEqual([]);
    expect(await traces(join(profiles, 'teacher1'), STORED), 'what a page stores lies in the profile').not.toEqual([]);
    expect(await readFile(join(server.folder, 'log'), 'utf8')).toContain('TRACE');
    for (const form of [(word: string) => Buffer.from(word, 'utf16le'), (word: string) => Buffer.from(`ab${word}c`).toString('base64'), (word: string) => Buffer.from(word).toString('hex')]) {
      const folder = join(server.folder, 'forms');
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'one'), form(STORED));
      expect(await traces(folder, STORED)).toHaveLength(1);
    }

    expect(await traces(server.folder, DISCLOSED), 'what was typed beside the reminder').toEqual([]);
    expect(await traces(server.folder, LANGUAGE), 'a circumstance').toEqual([]);
    expect(frames.length).toBeGreaterThan(0);
    expect(frames.filter((frame) => [DISCLOSED, LANGUAGE, NAMES.head].some((word) => frame.includes(word)))).toEqual([]);
  } finally {
    process.env.E2E_PORT = port;
    await server.stop();
  }
});
