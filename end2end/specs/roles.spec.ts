import { letProofGrowOld } from '../lib/database.ts';
import { enterCode, enterPassword, expect, NAMES, PASSWORD, test, title, type Who } from '../lib/test.ts';

test('a parent sees no People, and the list is not there for them', async ({ school }) => {
  const parent = await school.as('parent1');
  await parent.goto('/');
  await expect(parent.getByRole('navigation', { name: 'Places' }).getByRole('link')).toHaveText(['Home', 'Children', 'My account']);
  await expect(parent.getByRole('search')).toHaveCount(0);
  await expect(parent.locator('body')).not.toContainText(NAMES.clerk);
  for (const path of ['/people', '/people/add', '/settings', '/people/00000000-0000-7000-8000-000000000000']) {
    expect((await parent.goto(path))?.status(), path).toBe(404);
    await expect(title(parent)).toHaveText('There is nothing here');
  }
});

test('a governor sees the people without their addresses, and changes nothing', async ({ school }) => {
  const governor = await school.as('governor1');
  await governor.goto('/people');
  await expect(governor.getByRole('row', { name: /Nasreen Choudhury/ })).toBeVisible();
  const addresses = (await governor.locator('main').innerText()).match(/\S+@\S+/g) ?? [];
  expect(addresses, 'one’s own address and nobody else’s').toEqual([school.email('governor1')]);
  await expect(governor.getByRole('link', { name: 'Add a person' })).toHaveCount(0);
  await governor.getByRole('link', { name: `Open ${NAMES.clerk}` }).click();
  await expect(title(governor)).toHaveText(NAMES.clerk);
  await expect(governor.getByText('What you can do')).toHaveCount(0);
  const there = new URL(governor.url()).pathname;
  for (const path of ['/people/add', '/people/add-many', `${there}/roles`, `${there}/suspend`, `${there}/remove`, '/settings']) {
    expect((await governor.goto(path))?.status(), path).toBe(404);
  }
});

test('a clerk does not touch administrators, nor anybody themselves', async ({ school }) => {
  const clerk = await school.as('clerk');
  for (const name of [NAMES.admin, NAMES.clerk]) {
    await clerk.goto('/people');
    await clerk.getByRole('link', { name: `Open ${name}` }).click();
    await expect(title(clerk)).toHaveText(name);
    await expect(clerk.getByText('What you can do')).toHaveCount(0);
  }
  await expect(clerk.getByText('This is you.')).toBeVisible();
});

test('what is not there is the same page for everybody, with a way on', async ({ school, otherSchool }) => {
  const elsewhere = await otherSchool.as('clerk');
  await elsewhere.goto('/people');
  await elsewhere.getByRole('link', { name: `Open ${NAMES.chair}` }).click();
  await expect(title(elsewhere)).toHaveText(NAMES.chair);
  const foreign = new URL(elsewhere.url()).pathname;
  const clerk = await school.as('clerk');
  for (const path of ['/nothing', '/people/nobody', foreign]) {
    expect((await clerk.goto(path))?.status(), path).toBe(404);
    await expect(title(clerk)).toHaveText('There is nothing here');
  }
  await clerk.getByRole('link', { name: 'Go to the start' }).click();
  await expect(title(clerk)).toHaveText('Hello, Nasreen');
  const stranger = await school.stranger();
  await stranger.goto('/nothing');
  await expect(stranger).toHaveURL(/\/sign-in\?next=/);
});

test('an administrator says who needs a second step', async ({ school }) => {
  const admin = await school.as('admin');
  letProofGrowOld(school.email('admin'));
  await admin.goto('/settings');
  await admin.getByRole('link', { name: 'Enter my password' }).click();
  await admin.getByLabel('Your password').fill(PASSWORD);
  await admin.getByRole('button', { name: 'Continue' }).click();
  await expect(title(admin)).toHaveText('Settings');
  await expect(admin.getByRole('radio', { name: /All staff and governors/ })).toBeChecked();
  await admin.getByRole('radio', { name: /Administrators, clerks, chairs, and whoever may see pupils/ }).check();
  await admin.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(admin.locator('main').getByRole('status')).toHaveText('Saved.');
  await expect(admin.getByRole('radio', { name: /Administrators, clerks, chairs, and whoever may see pupils/ })).toBeChecked();
});

test('one ends a session one does not know, and changes one’s password', async ({ school }) => {
  const here = await school.as('head');
  const there = await school.as('head');
  school.watch.expected.push(/WebSocket|401/);
  await there.goto('/');
  await here.goto('/me');
  await expect(here.locator('tbody tr')).toHaveCount(2);
  await here.getByRole('button', { name: /^End/ }).click();
  await expect(here.locator('main').getByRole('status')).toHaveText('That session has ended.');
  await expect(here.locator('tbody tr')).toHaveCount(1);
  // An open page leaves by itself, and its going can overtake another.
  await expect(async () => void (await there.goto('/people'))).toPass();
  await expect(there).toHaveURL(/\/sign-in/);

  await here.getByLabel('Your password now').fill('not my password at all');
  await here.getByLabel('New password').fill('copper kettle evening ferry');
  await here.getByRole('button', { name: 'Change the password' }).click();
  await expect(here.getByLabel('Your password now')).toHaveAccessibleDescription(/That is not your password/);
  await here.getByLabel('Your password now').fill(PASSWORD);
  await here.getByLabel('New password').fill('copper kettle evening ferry');
  await here.getByRole('button', { name: 'Change the password' }).click();
  await expect(here.locator('main').getByRole('status')).toContainText('Your password is changed.');
  const again = await school.stranger();
  await again.goto('/sign-in');
  await enterPassword(again, school.email('head'), 'copper kettle evening ferry');
  await enterCode(again, await school.code('head'));
  await expect(title(again)).toHaveText('Hello, Eleanor');
});

test('making an administrator wants a fresh proof, and what was typed stays', async ({ school }) => {
  const admin = await school.as('admin');
  letProofGrowOld(school.email('admin'));
  await admin.goto('/people/add');
  await admin.getByLabel('Name').fill('Ottoline Marsh');
  await admin.getByLabel('E-mail address').fill(`ottoline@${school.label}.example`);
  await admin.getByRole('checkbox', { name: /^School administrator/ }).check();
  await admin.getByRole('button', { name: 'Add and invite' }).click();
  await expect(admin.getByRole('alert')).toContainText('Confirm that it is you');
  await expect(admin.getByLabel('Name')).toHaveValue('Ottoline Marsh');
  await expect(admin.getByRole('checkbox', { name: /^School administrator/ })).toBeChecked();
  const [beside] = await Promise.all([
    admin.context().waitForEvent('page'),
    admin.getByRole('link', { name: 'Enter my password in a new tab' }).click(),
  ]);
  await beside.getByLabel('Your password').fill(PASSWORD);
  await beside.getByRole('button', { name: 'Continue' }).click();
  await expect(title(beside)).toHaveText('My account');
  await admin.getByRole('button', { name: 'Add and invite' }).click();
  await expect(title(admin)).toHaveText('Ottoline Marsh');
});

test('new recovery codes want a fresh proof', async ({ school }) => {
  const page = await school.as('clerk');
  letProofGrowOld(school.email('clerk'));
  await page.goto('/me');
  await page.getByRole('button', { name: 'Make new recovery codes' }).click();
  await expect(page.getByRole('alert')).toContainText('Confirm that it is you');
  await page.getByRole('link', { name: 'Enter my password' }).click();
  await page.getByLabel('Your password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page).toHaveURL('/me');
  await page.getByRole('button', { name: 'Make new recovery codes' }).click();
  await expect(page.locator('.codes li')).toHaveCount(10);
});

for (const [who, places] of [
  ['admin', ['Home', 'Pupils', 'People', 'Board', 'Papers', 'The log', 'Settings']],
  ['clerk', ['Home', 'People', 'Board', 'Papers', 'Approvals', 'The log', 'My account']],
  ['head', ['Home', 'Pupils', 'People', 'Board', 'Papers', 'Approvals', 'My account']],
  ['chair', ['Home', 'People', 'Board', 'Papers', 'Approvals', 'My account']],
  ['teacher1', ['Home', 'My pupils', 'People', 'Board', 'Papers', 'Approvals', 'My account']],
] as [Who, string[]][]) {
  test(`the rail of ${who} leads where they may go`, async ({ school }) => {
    const page = await school.as(who);
    await page.goto('/');
    const rail = page.getByRole('navigation', { name: 'Places' });
    await expect(rail.getByRole('link')).toHaveText(places);
    for (const place of places) {
      await rail.getByRole('link', { name: place }).click();
      await expect(rail.getByRole('link', { name: place })).toHaveAttribute('aria-current', 'page');
    }
  });
}
