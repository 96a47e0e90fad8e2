import { ask } from '../lib/http.ts';
import { measure } from '../lib/measure.ts';
import { policy, saying } from '../lib/papers.ts';
import { addDocument, addVersion, openFolder, pdf } from '../lib/shelf.ts';
import { expect, NAMES, test, title, type Page } from '../lib/test.ts';

const notice = (page: Page) => page.locator('.notice.good');

test('a clerk files a policy, a governor reads it, and a corrected version is there for both', async ({ school, javaScriptEnabled }) => {
  const [clerk, governor] = [await school.as('clerk'), await school.as('governor1')];
  const bytes = await policy(12);
  await openFolder(clerk, 'Policies');
  await expect(clerk.locator('.empty')).toContainText('Nothing in it yet');
  await addDocument(clerk, 'Behaviour policy', pdf('Behaviour policy.pdf', bytes));
  await expect(notice(clerk)).toContainText('It is filed');
  await expect(clerk.getByText('Version 1, PDF, 12 pages')).toBeVisible();

  await governor.goto('/');
  await governor.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Papers' }).click();
  await governor.getByRole('link', { name: /Policies/ }).click();
  const row = governor.getByRole('row', { name: /Behaviour policy/ });
  await expect(row).toContainText('Not opened');
  await row.getByRole('link').click();
  await expect(title(governor)).toHaveText('Behaviour policy');
  await expect(governor.getByRole('link', { name: 'Add a version' })).toHaveCount(0);
  if (javaScriptEnabled) {
    const paper = governor.frameLocator('paper-reader iframe');
    await expect(paper.getByText(/Telling parents/).first()).toBeVisible({ timeout: 20_000 });
  } else {
    const [download] = await Promise.all([governor.waitForEvent('download'), governor.getByRole('link', { name: 'Download' }).first().click()]);
    expect(download.suggestedFilename()).toBe('Behaviour policy.pdf');
    const parts: Buffer[] = [];
    for await (const part of await download.createReadStream()) parts.push(part as Buffer);
    expect(Buffer.concat(parts).equals(Buffer.from(bytes))).toBe(true);
  }
  await governor.goto(new URL(governor.url()).pathname);
  await expect(governor.getByText(/You opened this version on/)).toBeVisible();

  await addVersion(clerk, 'Section 5 corrected', pdf('Behaviour policy.pdf', bytes));
  await expect(clerk.getByText('This is version 1 already, byte for byte.').first()).toBeVisible({ timeout: 30_000 });
  await clerk.goBack();
  await clerk.goto(new URL(governor.url()).pathname);
  await addVersion(clerk, 'Section 5 corrected', pdf('Behaviour policy v2.pdf', await policy(13)));
  await expect(notice(clerk)).toContainText('It is filed', { timeout: 30_000 });
  await expect(clerk.locator('.versions li').first()).toContainText('Section 5 corrected');
  // The governor opened version 1, and that says nothing of this one. Where there is a script, looking at it opens it.
  if (!javaScriptEnabled) {
    const opened = clerk.getByRole('region', { name: 'Who has opened it' }).locator('.body summary');
    await expect(opened).toHaveText(/^0 of [1-9]\d* have opened it$/);
    await clerk.getByRole('link', { name: 'Version 1', exact: true }).click();
    await expect(opened).toHaveText(/^1 of [1-9]\d* have opened it$/);
    await clerk.getByRole('link', { name: 'Version 2', exact: true }).click();
    await expect(opened).toHaveText(/^0 of [1-9]\d* have opened it$/);
  }

  // On an open page within a second; without a script when it is asked for again.
  if (!javaScriptEnabled) await governor.reload();
  await expect(governor.getByText('Version 2, PDF, 13 pages')).toBeVisible({ timeout: 5_000 });
  await expect(governor.getByText('You had not opened this version when this page was loaded.')).toBeVisible();
  await governor.getByRole('link', { name: 'Version 1' }).click();
  await expect(governor.getByText('This is version 1. The newest is version 2.')).toBeVisible();

  await clerk.getByRole('button', { name: /Bring it back.*version 1/ }).click();
  await expect(notice(clerk)).toContainText('The older version is the newest again.');
  await expect(clerk.locator('.versions li').first()).toContainText('Brings back version 1');
});

test('a restricted folder is not an administrator’s to read, and two of its readers let somebody in', async ({ school }) => {
  const [clerk, admin, governor] = [await school.as('clerk'), await school.as('admin'), await school.as('governor1')];
  const newcomer = await school.as('governor2');
  await clerk.goto('/library/add');
  await clerk.getByLabel('Name', { exact: true }).fill('Complaint');
  await clerk.getByRole('checkbox', { name: /^Restricted to named people/ }).check();
  await clerk.getByRole('checkbox', { name: 'Governor', exact: true }).check();
  await clerk.getByRole('button', { name: 'Make the folder' }).click();
  await expect(clerk.getByRole('alert')).toContainText('Choose people, not a role or a committee.');
  await expect(clerk.getByLabel('Name', { exact: true })).toHaveValue('Complaint');
  await clerk.getByRole('checkbox', { name: 'Governor', exact: true }).uncheck();
  for (const name of [NAMES.clerk, NAMES.governor1]) await clerk.locator('input[name^=filers]').and(clerk.getByLabel(name)).check();
  await clerk.getByRole('button', { name: 'Make the folder' }).click();
  await expect(title(clerk)).toHaveText('Complaint');
  await addDocument(clerk, 'Letter of 4 June', pdf('letter.pdf', await policy(1)));
  const address = new URL(clerk.url()).pathname;
  await openFolder(clerk, 'Policies');
  await addDocument(clerk, 'Attendance policy', pdf('a.pdf', await saying([['The register is taken twice a day.']])));

  await admin.goto('/library');
  await expect(admin.getByRole('link', { name: /Complaint/ })).toContainText('You do not read this folder.');
  await admin.getByRole('link', { name: /Complaint/ }).click();
  await expect(admin.locator('.empty')).toContainText('You do not read this folder');
  const readers = `${new URL(admin.url()).pathname}/readers`;
  for (const path of [address, readers, `${address}/about`]) expect((await admin.goto(path))!.status()).toBe(404);
  await admin.goto('/library/search?q=suspension');
  await expect(admin.locator('.empty')).toContainText('Nothing found');
  await admin.goto('/audit');
  // The log has a line of what lies in the open folder, and none of the other.
  await expect(admin.getByRole('rowheader', { name: /added a document/ })).toHaveCount(1);
  await expect(admin.getByText('Letter of 4 June')).toHaveCount(0);

  await clerk.goto('/library/search?q=suspension');
  await clerk.getByRole('link', { name: 'Letter of 4 June' }).click();
  await expect(title(clerk)).toHaveText('Letter of 4 June');

  await governor.goto(readers);
  await governor.getByLabel('Whom').selectOption({ label: NAMES.governor2 });
  await governor.getByRole('button', { name: 'Ask', exact: true }).click();
  await expect(notice(governor)).toContainText('It is done when one of them agrees.');

  // Who asked cannot agree as well, by the page or past it; and until somebody else does, nothing is different.
  await expect(governor.getByText(`${NAMES.governor1} asks to add ${NAMES.governor2}.`)).toBeVisible();
  await expect(governor.getByRole('button', { name: 'Agree', exact: true })).toHaveCount(0);
  const form = governor.locator('form').filter({ has: governor.locator('input[name="act"][value="library/drop-change"]') });
  const [folder, change] = [await form.locator('input[name="folder"]').inputValue(), await form.locator('input[name="change"]').inputValue()];
  const [{ name, value }] = await governor.context().cookies();
  const alone = await ask('POST', school.host, readers, { act: 'library/agree-change', folder, change }, `${name}=${value}`);
  expect(alone.status).not.toBe(303);
  expect(alone.body).toContain('another reader of the folder must agree');
  for (const path of [address, readers]) expect((await newcomer.goto(path))!.status()).toBe(404);

  await clerk.goto(readers);
  await clerk.getByRole('button', { name: 'Agree', exact: true }).click();
  await expect(notice(clerk)).toContainText('Every reader has been told.');
  await expect(clerk.getByRole('region', { name: 'Readers' })).toContainText(NAMES.governor2);
  expect((await newcomer.goto(address))!.status()).toBe(200);
  await expect(title(newcomer)).toHaveText('Letter of 4 June');
  // The outsider is still one.
  expect((await admin.goto(address))!.status()).toBe(404);
});

test('a file that is not what it says is refused with the reason, and what was typed stays', async ({ school }) => {
  const clerk = await school.as('clerk');
  await openFolder(clerk, 'Papers');
  await clerk.getByRole('link', { name: 'Add documents' }).first().click();
  for (const [file, sentence] of [
    [{ name: 'run.pdf', mimeType: 'application/pdf', buffer: Buffer.from('MZ\x90\x00\x03\x00\x00\x00this program cannot be run') }, 'This file is a program'],
    [{ name: 'run.exe', mimeType: 'application/pdf', buffer: Buffer.from('MZ') }, 'Files of this type are not taken.'],
    [{ name: 'cut.pdf', mimeType: 'application/pdf', buffer: Buffer.from((await policy(2)).slice(0, 900)) }, 'This file is damaged.'],
  ] as const) {
    await clerk.getByLabel('Title').fill('Budget');
    await clerk.getByLabel('Files').setInputFiles(file);
    await clerk.getByRole('button', { name: 'Add', exact: true }).click();
    await expect(clerk.getByText(sentence).first()).toBeVisible({ timeout: 30_000 });
    await expect(clerk.getByLabel('Title')).toHaveValue('Budget');
  }
  await clerk.goto('/library');
  await expect(clerk.getByRole('link', { name: /Papers.*Empty/ })).toBeVisible();
});

test('the register says which policies are due, and what is said of a document can be changed', async ({ school }) => {
  const clerk = await school.as('clerk');
  await openFolder(clerk, 'Policies');
  await addDocument(clerk, 'Attendance policy', pdf('a.pdf', await policy(1)));
  await clerk.getByRole('link', { name: 'Change', exact: true }).click();
  await clerk.getByLabel('Title', { exact: true }).fill('Attendance and punctuality');
  await clerk.getByLabel('Who answers for it').selectOption({ label: NAMES.governor1 });
  await clerk.getByLabel('To be reviewed by').fill(new Date(Date.now() - 86_400_000).toISOString().slice(0, 10));
  await clerk.getByLabel('Tags').fill('pupils, attendance');
  await clerk.getByRole('button', { name: 'Save' }).click();
  await expect(notice(clerk)).toHaveText('Saved.');
  await expect(title(clerk)).toHaveText('Attendance and punctuality');
  await clerk.goto('/library');
  await clerk.getByRole('link', { name: 'Policy register' }).click();
  const row = clerk.getByRole('row', { name: /Attendance and punctuality/ });
  await expect(row).toContainText('Overdue');
  await expect(row).toContainText(NAMES.governor1);
});

test('every page of the library is measured', async ({ school, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, 'axe is a script');
  test.setTimeout(180_000);
  const [clerk, governor] = [await school.as('clerk'), await school.as('governor1')];
  await openFolder(clerk, 'Policies');
  const folder = new URL(clerk.url()).pathname;
  await addDocument(clerk, 'Attendance policy', pdf('a.pdf', await policy(2)));
  const paper = new URL(clerk.url()).pathname;
  for (const page of ['/library', folder, '/library/policies', '/library/search?q=suspension', `${folder}/add`, `${paper}/add`, `${folder}/readers`, `${paper}/about`]) {
    await clerk.goto(page);
    await expect(title(clerk)).toBeVisible();
    await measure(clerk, page);
  }
  // And as who only reads sees them.
  for (const page of ['/library', folder, '/library/search?q=nothing-of-the-kind', `${folder}/readers`]) {
    await governor.goto(page);
    await expect(title(governor)).toBeVisible();
    await measure(governor, page);
  }
});
