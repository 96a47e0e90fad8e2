import { expect, NAMES, ready, test, title, type Page } from '../lib/test.ts';

const KB = 1_000;

/** What a browser with an empty cache receives, as sent over the wire. */
async function transferred(page: Page, visit: () => Promise<void>): Promise<{ url: string; bytes: number; encoding: string }[]> {
  const wire = await page.context().newCDPSession(page);
  await wire.send('Network.enable');
  await wire.send('Network.setCacheDisabled', { cacheDisabled: true });
  const files = new Map<string, { url: string; bytes: number; encoding: string }>();
  wire.on('Network.responseReceived', ({ requestId, response }) => {
    files.set(requestId, { url: response.url, bytes: 0, encoding: response.headers['content-encoding'] ?? '' });
  });
  wire.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const file = files.get(requestId);
    if (file) file.bytes = encodedDataLength;
  });
  await visit();
  await page.waitForLoadState('networkidle');
  return [...files.values()];
}

const sum = (files: { bytes: number }[]) => files.reduce((total, { bytes }) => total + bytes, 0);

test('a stranger’s first load is small, and brings no program', async ({ school }) => {
  const page = await school.stranger();
  const files = await transferred(page, async () => {
    await page.goto('/sign-in');
  });
  expect(files.filter(({ url }) => /\.(js|wasm)$/.test(url))).toEqual([]);
  expect(await page.locator('script[src], script[type=module], link[rel=modulepreload]').count()).toBe(0);
  expect(files.find(({ url }) => url.endsWith('.css'))?.encoding).toBe('br');
  console.log(`stranger's first load: ${sum(files)} bytes in ${files.length} files`);
  expect(sum(files)).toBeLessThanOrEqual(300 * KB);
});

test('the program of a signed-in page is at most 300 KB, and comes once', async ({ school }) => {
  const page = await school.as('clerk');
  const files = await transferred(page, async () => {
    await page.goto('/');
    await ready(page);
  });
  const program = files.filter(({ url }) => /\.(js|wasm)$/.test(url));
  expect(program.map(({ encoding }) => encoding)).toEqual(program.map(() => 'br'));
  console.log(`home: program ${sum(program)} bytes, all ${sum(files)} bytes in ${files.length} files`);
  expect(new Set(program.map(({ url }) => url)).size).toBe(program.length);
  expect(sum(program)).toBeGreaterThan(0);
  expect(sum(program)).toBeLessThanOrEqual(300 * KB);
});

test('every signed-in page comes alive without a complaint, with one cookie and under its content policy', async ({ school }) => {
  const page = await school.as('admin');
  await page.goto('/people');
  const one = (await page.locator('tbody tr').nth(3).getByRole('link').getAttribute('href'))!;
  for (const path of ['/', '/people', '/people?show=board', one, `${one}/roles`, `${one}/suspend`, `${one}/remove`, '/people/add', '/me', '/settings', '/schools']) {
    const answer = await page.goto(path);
    const policy = answer!.headers()['content-security-policy'];
    expect(policy, path).toMatch(/script-src 'self' 'nonce-[^']+' 'wasm-unsafe-eval';/);
    // Forms may lead to another school's host, which a redirect needs as well; nothing else may.
    expect(policy.replace(/form-action [^;]*/, ''), path).not.toMatch(/unsafe-inline|'unsafe-eval'|\*/);
    await ready(page);
    expect(await page.context().cookies(), path).toHaveLength(1);
    expect(await page.evaluate(() => [localStorage.length, sessionStorage.length]), path).toEqual([0, 0]);
  }
  // The watch of lib/test.ts holds each page to no console error or warning, no request elsewhere and no dialog.
});

test('going from page to page needs no new document, and back and forward work', async ({ school }) => {
  const page = await school.as('clerk');
  await page.goto('/');
  await ready(page);
  await page.evaluate(() => document.documentElement.setAttribute('data-marked', ''));
  const rail = page.getByRole('navigation', { name: 'Places' });
  await rail.getByRole('link', { name: 'People' }).click();
  await expect(title(page)).toHaveText('People');
  await page.getByRole('link', { name: /^Board \d/ }).click();
  await expect(page.locator('caption')).toContainText('13 people');
  await page.getByLabel('Find by name or e-mail').pressSequentially('hargr');
  await expect(page.locator('tbody tr'), 'filters as one types').toHaveCount(1);
  await page.getByRole('link', { name: 'Open Eleanor Hargreaves' }).click();
  await expect(title(page)).toHaveText('Eleanor Hargreaves');
  await expect(page).toHaveTitle('Eleanor Hargreaves · Quorate');
  await page.getByRole('link', { name: 'Change roles' }).click();
  await expect(title(page)).toHaveText('Roles of Eleanor Hargreaves');
  await page.goBack();
  await expect(title(page)).toHaveText('Eleanor Hargreaves');
  await page.goBack();
  await expect(title(page)).toHaveText('People');
  await page.goForward();
  await expect(title(page)).toHaveText('Eleanor Hargreaves');
  await expect(page.locator('html[data-marked]')).toHaveCount(1);
});

test('times are in the reader’s own zone once the page is alive', async ({ school }) => {
  const page = await school.as('clerk', { timezoneId: 'Asia/Tokyo' });
  await page.goto('/people');
  await ready(page);
  await expect(page.locator('tbody time').first()).toHaveAttribute('title', /20\d\d, \d\d:\d\d$/);
  await page.getByRole('link', { name: `Open ${NAMES.clerk}` }).click();
  const time = page.locator('dl.details time').first();
  const at = new Date((await time.getAttribute('datetime'))!);
  const words = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'Asia/Tokyo' }).format(at);
  await expect(time).toContainText(words);
  await expect(time).not.toContainText('UTC');
});

test('a form sent twice in a hurry is done once', async ({ school }) => {
  const page = await school.as('clerk');
  await page.goto('/people/add');
  await page.getByLabel('Name').fill('Hasty Click');
  await page.getByLabel('E-mail address').fill(`hasty@${school.label}.example`);
  await page.getByRole('checkbox', { name: /^Governor/ }).check();
  // The browser gives up the first of the two; what counts is that one of them is answered.
  const answered = page.waitForResponse((answer) => answer.request().method() === 'POST' && answer.status() < 500);
  await page.getByRole('button', { name: 'Add and invite' }).dblclick();
  await answered;
  await page.waitForLoadState('networkidle');
  await page.goto('/people?q=hasty');
  await expect(page.locator('tbody tr')).toHaveCount(1);
});

test('a page says once a minute that somebody is there, and only when somebody is', async ({ school }) => {
  const page = await school.as('clerk');
  await page.clock.install();
  await page.goto('/people/add');
  await ready(page);
  const said: number[] = [];
  page.on('response', (answer) => {
    if (answer.url().endsWith('/api/session/stay')) said.push(answer.status());
  });
  const name = page.getByLabel('Name');
  await name.pressSequentially('Aa');
  expect(said, 'the page itself was a sign').toEqual([]);
  await page.clock.fastForward(61_000);
  expect(said, 'time alone is none').toEqual([]);
  await name.pressSequentially('ro');
  await expect.poll(() => said).toEqual([200]);
  await name.pressSequentially('n');
  await page.waitForTimeout(300);
  expect(said).toEqual([200]);
  await expect(name).toHaveValue('Aaron');
});
