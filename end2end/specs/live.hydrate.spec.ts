import { type Locator } from '@playwright/test';
import { ask } from '../lib/http.ts';
import { expect, NAMES, ready, test, title, type Page, type School, type Who } from '../lib/test.ts';

// What the issue promises: a change by somebody else is on the screen within a second of being done.
const SECOND = { timeout: 1_000 };

/** Opens a page and waits until it is live. */
async function live(school: School, who: Who, path: string): Promise<Page> {
  const page = await school.as(who);
  await page.goto(path);
  await ready(page);
  return page;
}

async function idOf(page: Page, name: string): Promise<string> {
  return (await page.getByRole('link', { name: `Open ${name}` }).getAttribute('href'))!.split('/').at(-1)!;
}

/** Does what a button of the clerk's does, and returns when the server has answered: the second begins there. */
async function act(school: School, cookie: string, path: string, form: Record<string, string>): Promise<void> {
  const answer = await ask('POST', school.host, path, form, cookie);
  expect(answer.status, answer.body.slice(0, 200)).toBe(303);
}

async function cookieOf(school: School, who: Who): Promise<string> {
  const { name, value } = await school.session(who);
  return `${name}=${value}`;
}

/** Marks the document, so that a reload shows. */
const mark = (page: Page) => page.evaluate(() => document.documentElement.setAttribute('data-marked', ''));
const marked = (page: Page): Locator => page.locator('html[data-marked]');

test('a governor sees an added person within a second, without a reload', async ({ school }) => {
  const governor = await live(school, 'governor1', '/people');
  const clerk = await cookieOf(school, 'clerk');
  await mark(governor);
  await act(school, clerk, '/people/add', { act: 'people/add', name: 'Adjoa Featherstone', email: `adjoa@${school.label}.example`, 'roles[0]': 'governor' });
  await expect(governor.getByRole('row', { name: /Adjoa Featherstone/ })).toBeVisible(SECOND);
  await expect(governor.locator('.news')).toContainText('Adjoa Featherstone');
  await expect(marked(governor)).toHaveCount(1);
});

test('a removed governor is at the sign-in page within a second, told why, and refused from then on', async ({ school }) => {
  const governor = await live(school, 'governor2', '/people');
  const id = await idOf(governor, NAMES.governor2);
  const cookies = (await governor.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  const clerk = await cookieOf(school, 'clerk');
  await act(school, clerk, `/people/${id}/remove`, { act: 'people/remove', id });
  expect((await ask('GET', school.host, '/api/people/list', undefined, cookies)).status, 'their very next request').toBe(401);
  await expect(governor).toHaveURL(/\/sign-in\?why=/, SECOND);
  await expect(governor.getByRole('status')).toContainText(/no longer have a place here|have been signed out/);
  await governor.goto('/people');
  await expect(governor).toHaveURL(/\/sign-in/);
});

test('a changed role is a changed page: what it may show is there, what it may not is gone', async ({ school }) => {
  const governor = await live(school, 'governor3', '/people');
  const id = await idOf(governor, NAMES.governor3);
  const clerk = await cookieOf(school, 'clerk');
  // What is fetched between the two acts may find the list gone already.
  school.watch.expected.push(/404/);
  await act(school, clerk, `/people/${id}/roles`, { act: 'people/give-role', id, role: 'parent' });
  await act(school, clerk, `/people/${id}/roles`, { act: 'people/drop-role', id, role: 'governor' });
  await expect(title(governor)).toHaveText('There is nothing here', { timeout: 3_000 });
  // The second of the two acts opens the page once more, and that can overtake another.
  await expect(async () => void (await governor.goto('/'))).toPass();
  await expect(governor.getByRole('navigation', { name: 'Places' }).getByRole('link')).toHaveText(['Home', 'Children', 'My account']);
  await ready(governor);
});

test('signing out in one tab signs out the others', async ({ school }) => {
  const one = await live(school, 'teacher1', '/');
  const other = await one.context().newPage();
  await other.goto('/people');
  await ready(other);
  await one.locator('details.who > summary').click();
  await one.getByRole('button', { name: 'Sign out' }).click();
  await expect(other).toHaveURL(/\/sign-in\?why=/, SECOND);
  await expect(other.getByRole('status')).toBeVisible();
});

test('who is here now is seen as they come and go', async ({ school }) => {
  const clerk = await live(school, 'clerk', '/people');
  const row = clerk.getByRole('row', { name: new RegExp(NAMES.chair) });
  await expect(row).not.toContainText('here now');
  const chair = await live(school, 'chair', '/');
  await expect(row).toContainText('here now', { timeout: 2_500 });
  await expect(row.locator('.face[data-here]')).toBeVisible();
  await expect(clerk.locator('caption')).toContainText('2 of them here now');
  await chair.close();
  await expect(row).not.toContainText('here now', { timeout: 9_000 });
});

test('a change by somebody else clears no field, and moves neither focus nor scroll', async ({ school }) => {
  const clerk = await cookieOf(school, 'clerk');
  const add = (name: string) =>
    act(school, clerk, '/people/add', { act: 'people/add', name, email: `${name.split(' ')[0].toLowerCase()}@${school.label}.example`, 'roles[0]': 'governor' });

  const form = await live(school, 'admin', '/people/add');
  await form.getByLabel('Name').pressSequentially('Half a na');
  const list = await school.as('governor4', { viewport: { width: 390, height: 600 } });
  await list.goto('/people');
  await ready(list);
  await list.getByLabel('Find by name').pressSequentially('a');
  await list.waitForLoadState('networkidle');
  await list.waitForTimeout(300);
  const matching = Number.parseInt((await list.locator('caption').innerText()).split(' ')[0], 10);
  expect(matching).toBeGreaterThan(5);
  const open = list.getByRole('link', { name: `Open ${NAMES.teacher1}` });
  await open.focus();
  const scrolled = await list.evaluate(() => window.scrollY);
  expect(scrolled).toBeGreaterThan(200);
  await mark(list);

  await add('Aaron Abara');
  await expect(list.locator('caption')).toContainText(`${matching + 1} people`, SECOND);
  await expect(open).toBeFocused();
  await expect(list.getByLabel('Find by name')).toHaveValue('a');
  const moved = await list.evaluate(() => window.scrollY);
  const top = await open.evaluate((link) => link.getBoundingClientRect().top);
  expect(Math.abs(moved - scrolled) < 2 || (top > 0 && top < 600), `scrolled from ${scrolled} to ${moved}, link at ${top}`).toBe(true);

  await list.getByLabel('Find by name').focus();
  await list.keyboard.press('End');
  await list.keyboard.type('d');
  await add('Adam Adeyemi');
  await expect(list.getByRole('row', { name: /Adam Adeyemi/ })).toBeVisible(SECOND);
  await list.keyboard.type('a');
  await expect(list.getByLabel('Find by name')).toHaveValue('ada');
  await expect(list.getByLabel('Find by name')).toBeFocused();
  await expect(marked(list)).toHaveCount(1);
  await expect(form.getByLabel('Name')).toHaveValue('Half a na');
  await expect(form.getByLabel('Name')).toBeFocused();
});

test('a page that was offline says so, and has what it missed when it is back', async ({ school }) => {
  school.watch.expected.push(/ERR_INTERNET_DISCONNECTED|WebSocket|ERR_ADDRESS_UNREACHABLE/);
  const governor = await live(school, 'governor1', '/people');
  await governor.context().setOffline(true);
  await expect(governor.locator('.live')).toHaveAttribute('data-state', /reconnecting|offline/, { timeout: 5_000 });
  const clerk = await cookieOf(school, 'clerk');
  await act(school, clerk, '/people/add', { act: 'people/add', name: 'Missed While-Away', email: `missed@${school.label}.example`, 'roles[0]': 'governor' });
  await governor.context().setOffline(false);
  await expect(governor.getByRole('row', { name: /Missed While-Away/ })).toBeVisible({ timeout: 5_000 });
  await expect(governor.locator('.live')).toHaveAttribute('data-state', 'live');
});

test('a page that cannot be fetched again just now stays as it is, and is fetched when it can be', async ({ school }) => {
  school.watch.expected.push(/ERR_FAILED/);
  const governor = await live(school, 'governor1', '/people');
  await governor.getByLabel('Find by name').focus();
  await mark(governor);
  await governor.route('**/api/people/list?*', (route) => route.abort());
  const failed = governor.waitForEvent('requestfailed');
  const clerk = await cookieOf(school, 'clerk');
  await act(school, clerk, '/people/add', { act: 'people/add', name: 'Told Twice', email: `twice@${school.label}.example`, 'roles[0]': 'governor' });
  await failed;
  await governor.waitForTimeout(300);
  await expect(title(governor)).toHaveText('People');
  await expect(governor.getByLabel('Find by name')).toBeFocused();
  await governor.unroute('**/api/people/list?*');
  await expect(governor.getByRole('row', { name: /Told Twice/ })).toBeVisible({ timeout: 5_000 });
  await expect(marked(governor)).toHaveCount(1);
});

test('the people page goes on being live after going to another page and back without a reload', async ({ school }) => {
  const governor = await live(school, 'governor1', '/people');
  await mark(governor);
  await governor.getByRole('link', { name: 'My account' }).first().click();
  await expect(title(governor)).toHaveText('My account');
  await governor.getByRole('link', { name: 'People', exact: true }).click();
  await expect(title(governor)).toHaveText('People');
  await expect(marked(governor), 'this test is about going without a reload').toHaveCount(1);
  const clerk = await cookieOf(school, 'clerk');
  await act(school, clerk, '/people/add', { act: 'people/add', name: 'Later Arrival', email: `later@${school.label}.example`, 'roles[0]': 'governor' });
  await expect(governor.getByRole('row', { name: /Later Arrival/ })).toBeVisible(SECOND);
});
