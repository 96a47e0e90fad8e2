import { foundTrust, letProofGrowOld } from '../lib/database.ts';
import { letterTo } from '../lib/mail.ts';
import { measure } from '../lib/measure.ts';
import { enterCode, enterPassword, expect, NAMES, PASSWORD, ready, School, test, title, type Page, type Who } from '../lib/test.ts';
import { Authenticator } from '../lib/totp.ts';

test.describe.configure({ timeout: 150_000 });

async function visit(page: Page, path: string, live = true): Promise<void> {
  await page.goto(path);
  await expect(title(page)).toHaveCount(1);
  if (live) await ready(page);
  await measure(page, path);
}

test('strangers’ pages', async ({ school }) => {
  const page = await school.stranger();
  for (const path of ['/sign-in', '/sign-in?why=removed', '/forgotten', '/forgotten?sent=yes', '/reset/none', '/invitation/none']) {
    await visit(page, path, false);
  }
  await page.goto('/sign-in');
  await enterPassword(page, school.email('clerk'), 'not my password at all');
  await measure(page, 'refused at sign-in');
  await page.goto('/forgotten');
  await page.getByLabel('E-mail address').fill(school.email('clerk'));
  await page.getByRole('button', { name: 'Send the link' }).click();
  await page.goto((await letterTo(school.email('clerk'), /./)).link);
  await page.getByLabel('New password').fill('short');
  await page.getByRole('button', { name: 'Change the password' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await measure(page, 'a weak new password');
});

test('the steps of signing in, of joining, and the second step', async ({ school }) => {
  const email = `joins@${school.label}.example`;
  const clerk = await school.as('clerk');
  await clerk.goto('/people/add');
  await clerk.getByLabel('Name').fill('Bartholomew Featherstonehaugh-Cholmondeley');
  await clerk.getByLabel('E-mail address').fill(email);
  await clerk.getByRole('checkbox', { name: /^Governor/ }).check();
  await clerk.getByRole('button', { name: 'Add and invite' }).click();
  await ready(clerk);
  await measure(clerk, 'a person just added');
  await visit(clerk, '/');

  const page = await school.stranger();
  await page.goto((await letterTo(email, /./)).link);
  await measure(page, 'an invitation');
  await page.getByLabel('New password').fill('copper kettle evening ferry');
  await page.getByRole('button', { name: 'Join' }).click();
  await enterPassword(page, email, 'copper kettle evening ferry');
  await expect(title(page)).toHaveText('Set up your second step');
  await measure(page, 'enrolling');
  const app = new Authenticator(await page.locator('.secret').innerText());
  await enterCode(page, await app.code());
  await expect(title(page)).toHaveText('Keep these recovery codes');
  await measure(page, 'recovery codes');
  await page.context().clearCookies();
  await page.goto('/sign-in');
  await enterPassword(page, email, 'copper kettle evening ferry');
  await enterCode(page, '000000');
  await expect(page.getByRole('alert')).toBeVisible();
  await measure(page, 'a wrong code');
  await visit(page, '/sign-in/recovery', false);
});

test('the clerk’s pages', async ({ school }) => {
  const page = await school.as('clerk');
  await page.goto('/people');
  const governor = (await page.getByRole('link', { name: `Open ${NAMES.governor3}` }).getAttribute('href'))!;
  for (const path of ['/people', '/people?show=families', '/people?q=nobody+at+all', '/people/add', '/people/add-many', governor, `${governor}/roles`, `${governor}/suspend`, `${governor}/remove`, `${governor}/rename`, `${governor}/checks`, '/board', '/board/seats/add', '/board/committees/add', '/board/interests', '/board/interests/declare', '/audit', '/audit?from=nonsense', '/audit/1']) {
    await visit(page, path);
  }
  await page.goto('/people/add-many');
  await page.getByLabel('One person a line').fill(`a@list.example, A, Teacher\nwrong\nclerk@${school.label}.example, Me, Clerk to governors`);
  await page.getByRole('button', { name: 'Check the list' }).click();
  await expect(page.getByRole('heading', { name: '1 person can be added' })).toBeVisible();
  await ready(page);
  await measure(page, 'a list with verdicts');
  await page.goto('/people/add');
  await page.getByLabel('Name').fill('Somebody');
  await page.getByLabel('E-mail address').fill(`somebody@${school.label}.example`);
  await page.getByRole('button', { name: 'Add and invite' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await ready(page);
  await measure(page, 'adding without a role');
  await page.goto('/');
  await ready(page);
  await page.locator('details.who > summary').click();
  await measure(page, 'the menu');
});

test('pages about oneself, and proving it again', async ({ school }) => {
  const page = await school.as('clerk');
  for (const path of ['/me', '/schools', '/me/second-step']) await visit(page, path, path === '/me');
  await page.goto('/me');
  await page.getByRole('button', { name: 'Make new recovery codes' }).click();
  await expect(page.locator('.codes')).toBeVisible();
  await measure(page, 'new recovery codes');
  letProofGrowOld(school.email('clerk'));
  await visit(page, '/step-up?next=/people', false);
  await page.goto('/people');
  await visit(page, `${await page.getByRole('link', { name: `Open ${NAMES.governor1}` }).getAttribute('href')}/remove`);
  await page.goto('/me');
  await page.getByRole('button', { name: 'Make new recovery codes' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await measure(page, 'a proof that is too old');
});

test('a trust’s schools side by side, and what waits at each', async ({ school }) => {
  const bare = `http://localhost:${process.env.E2E_PORT}`;
  const trust = `http://${foundTrust(school.label, school.email('clerk'), NAMES.clerk)}.localhost:${process.env.E2E_PORT}`;
  const page = await school.stranger({ baseURL: bare });
  await page.goto('/sign-in');
  await enterPassword(page, school.email('clerk'), PASSWORD);
  await enterCode(page, await school.code('clerk'));
  await expect(page.locator('.school-card')).toHaveCount(2);
  await measure(page, 'my places');
  await page.getByRole('button', { name: `Open Trust of ${school.label}` }).click();
  await expect(page).toHaveURL(`${trust}/`);
  await visit(page, `${trust}/overview`);
});

test('a board with all its people, the register, the log and one’s letters', async ({ browser }) => {
  const school = new School(browser, true, 'oakfield', 'Oakfield Primary School');
  const page = await school.as('clerk');
  const at = async (path: string, link: RegExp) => {
    await page.goto(path);
    return (await page.locator('main').getByRole('link', { name: link }).first().getAttribute('href'))!;
  };
  const person = await at('/people?q=Oyelaran', /^Open/);
  for (const path of [
    '/board',
    '/board/seats/add',
    await at('/board', /^Change/),
    '/board/committees/add',
    await at('/board', /Finance/),
    '/board/interests',
    '/board/interests/declare',
    person,
    `${person}/checks`,
    '/audit',
    '/audit/1',
    '/audit?kind=mail',
    '/people/add-many',
    '/me/notices',
  ]) {
    await visit(page, path);
  }
  expect(school.watch.faults).toEqual([]);
  await school.close();
});

test('pages of the bare host', async ({ school }) => {
  const bare = `http://localhost:${process.env.E2E_PORT}`;
  const page = await school.stranger({ baseURL: bare });
  await visit(page, '/sign-in', false);
  await enterPassword(page, school.email('head'), PASSWORD);
  await enterCode(page, await school.code('head'));
  await expect(page.locator('.school-card')).toHaveCount(1);
  await measure(page, 'my schools');
  await visit(page, '/me', false);
  await page.goto('/dev/mail');
  await measure(page, 'mail on this machine');
});

for (const [who, paths] of Object.entries({
  admin: ['/', '/people', '/settings', '/me'],
  head: ['/', '/people', '/me'],
  senco: ['/', '/people', '/me'],
  teacher1: ['/', '/people', '/me'],
  ta1: ['/', '/people', '/me'],
  chair: ['/', '/people', '/me'],
  governor1: ['/', '/people', '/me', '/nothing'],
  parent1: ['/', '/me', '/people'],
})) {
  test(`every page as ${who}`, async ({ school }) => {
    const page = await school.as(who as Who);
    for (const path of paths) await visit(page, path, path !== '/nothing' && !(who === 'parent1' && path === '/people'));
  });
}
