import { pack, policy } from '../lib/papers.ts';
import { addDocument, openFolder, pdf, type Chosen } from '../lib/shelf.ts';
import { expect, test, title, type Page } from '../lib/test.ts';

/** Bytes of a part, as `public/upload/upload.js` has it. */
const PART = 4 * 1024 * 1024;
const PARTS = '**/files/uploads/*';

const notice = (page: Page) => page.locator('.notice.good');
const row = (page: Page, name: string) => page.locator('.uploads li').filter({ hasText: name });
const aloud = (page: Page) => page.locator('[data-uploads-said]');

/** Holds back the parts of every upload of a page until it is called. */
async function hold(page: Page): Promise<() => void> {
  let go = () => {};
  const held = new Promise<void>((done) => (go = done));
  await page.route(PARTS, async (route) => {
    if (route.request().method() === 'PATCH') await held;
    await route.continue();
  });
  return go;
}

test('an upload that breaks goes on where it broke, and what is kept is what was sent', async ({ school }) => {
  test.setTimeout(120_000);
  const clerk = await school.as('clerk');
  const bytes = Buffer.from(await pack(24, 12 * 1024 * 1024));
  expect(bytes.length).toBeGreaterThan(2 * PART);
  await openFolder(clerk, 'Packs');
  await clerk.getByRole('link', { name: 'Add documents' }).first().click();

  const offsets: number[] = [];
  let broken = false;
  let again = () => {};
  const waited = new Promise<void>((done) => (again = done));
  school.watch.expected.push(/net::ERR_CONNECTION_RESET/);
  await clerk.route(PARTS, async (route) => {
    const request = route.request();
    if (request.method() === 'HEAD') await waited;
    if (request.method() !== 'PATCH') return route.continue();
    offsets.push(Number(request.headers()['upload-offset']));
    if (offsets.length !== 2) return route.continue();
    broken = true;
    return route.abort('connectionreset');
  });
  await clerk.getByLabel('Files').setInputFiles(pdf('Pack.pdf', bytes));
  await clerk.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(row(clerk, 'Pack.pdf')).toContainText('The connection was lost; trying again', { timeout: 20_000 });
  await expect(clerk.getByRole('progressbar', { name: 'Pack.pdf' })).toBeVisible();
  await expect(aloud(clerk)).toHaveText('Pack.pdf: The connection was lost; trying again');
  again();
  await expect(title(clerk)).toHaveText('Pack', { timeout: 60_000 });
  expect(broken).toBe(true);
  expect(offsets.slice(0, 4)).toEqual([0, PART, PART, 2 * PART]);
  expect(offsets.filter((offset) => offset === 0), 'nothing was sent twice from its beginning').toHaveLength(1);

  const [download] = await Promise.all([clerk.waitForEvent('download'), clerk.getByRole('link', { name: 'Download' }).first().click()]);
  const parts: Buffer[] = [];
  for await (const part of await download.createReadStream()) parts.push(part as Buffer);
  expect(Buffer.concat(parts).equals(bytes)).toBe(true);
});

test('two files are added at once, chosen or dropped, each with its own progress', async ({ school }) => {
  const clerk = await school.as('clerk');
  await openFolder(clerk, 'Policies');
  const folder = new URL(clerk.url()).pathname;
  const send = async (first: string, second: string) => {
    const go = await hold(clerk);
    await clerk.getByRole('button', { name: 'Add', exact: true }).click();
    await expect(clerk.getByRole('progressbar', { name: `${first}.pdf` })).toBeVisible();
    await expect(aloud(clerk)).toHaveText(`${first}.pdf: Waiting`);
    await expect(clerk.locator('[aria-live]').filter({ has: clerk.locator('progress') }), 'no number is read out').toHaveCount(0);
    go();
    await expect(notice(clerk)).toHaveText('2 documents added.', { timeout: 60_000 });
    for (const name of [first, second]) await expect(clerk.getByRole('row', { name: new RegExp(name) })).toHaveCount(1);
    await clerk.unroute(PARTS);
  };
  await clerk.goto(`${folder}/add`);
  await clerk.getByLabel('Files').setInputFiles([pdf('Budget.pdf', await policy(1)), pdf('Estate plan.pdf', await policy(2))]);
  await send('Budget', 'Estate plan');

  await clerk.goto(`${folder}/add`);
  const files = [pdf('Travel.pdf', await policy(3)), pdf('Uniform.pdf', await policy(4))].map(({ name, buffer }: Chosen) => ({ name, base64: buffer.toString('base64') }));
  const dataTransfer = await clerk.evaluateHandle((files) => {
    const transfer = new DataTransfer();
    for (const { name, base64 } of files) transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name, { type: 'application/pdf' }));
    return transfer;
  }, files);
  const field = clerk.locator('[data-drop]');
  // The script that takes them comes after the page.
  await expect(async () => {
    await field.dispatchEvent('dragover', { dataTransfer });
    await expect(field).toHaveAttribute('data-over', '', { timeout: 200 });
  }).toPass();
  await field.dispatchEvent('drop', { dataTransfer });
  await expect(field).not.toHaveAttribute('data-over');
  expect(await clerk.getByLabel('Files').evaluate((input: HTMLInputElement) => [...(input.files ?? [])].map((file) => file.name))).toEqual(['Travel.pdf', 'Uniform.pdf']);
  await send('Travel', 'Uniform');
});

test('of two who add a version at once both are kept in order, and the later one is told of the other', async ({ school }) => {
  const [clerk, admin] = [await school.as('clerk'), await school.as('admin')];
  await openFolder(clerk, 'Policies');
  await addDocument(clerk, 'Behaviour policy', pdf('b.pdf', await policy(1)));
  const address = new URL(clerk.url()).pathname;
  const go: (() => void)[] = [];
  for (const [page, note, pages] of [[clerk, 'From the clerk', 2], [admin, 'From the administrator', 3]] as const) {
    await page.goto(`${address}/add`);
    go.push(await hold(page));
    await page.getByLabel('What is new in it').fill(note);
    await page.getByLabel('File', { exact: true }).setInputFiles(pdf(`${pages}.pdf`, await policy(pages)));
    await page.getByRole('button', { name: 'Add the version' }).click();
    await expect(page.getByRole('progressbar')).toBeVisible();
  }
  for (const one of go) one();
  for (const page of [clerk, admin]) await expect(page).toHaveURL(/done=filed/, { timeout: 60_000 });
  const meanwhile = [clerk, admin].map((page) => new URL(page.url()).searchParams.get('meanwhile'));
  expect([...meanwhile].sort()).toEqual(['0', '1']);
  const clerkWasLater = meanwhile[0] === '1';
  const [earlier, later] = clerkWasLater ? [admin, clerk] : [clerk, admin];
  await expect(notice(earlier)).toHaveText('It is filed, and its readers are told.');
  await expect(notice(later)).toContainText('somebody else added a version too: yours is the newest, and both are kept.');
  const notes = clerkWasLater ? ['From the clerk', 'From the administrator'] : ['From the administrator', 'From the clerk'];
  // Also the page of who was earlier, which nobody loaded again.
  for (const page of [earlier, later]) {
    const versions = page.locator('.versions li');
    await expect(versions).toHaveCount(3);
    for (const [n, note] of notes.entries()) await expect(versions.nth(n)).toContainText(note);
    await expect(versions.nth(0)).toContainText('Version 3');
    await expect(page.getByText(`Version 3, PDF, ${clerkWasLater ? 2 : 3} pages`)).toBeVisible();
  }
});
