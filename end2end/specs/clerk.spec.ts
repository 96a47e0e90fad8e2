import { letProofGrowOld } from '../lib/database.ts';
import { letterTo } from '../lib/mail.ts';
import { expect, NAMES, PASSWORD, test, title, type Page } from '../lib/test.ts';

const notice = (page: Page) => page.locator('main').getByRole('status');

async function open(page: Page, name: string): Promise<void> {
  await page.goto('/people');
  await page.getByRole('link', { name: `Open ${name}` }).click();
  await expect(title(page)).toHaveText(name);
}

test('a clerk adds a person, who is on the list and gets an invitation', async ({ school }) => {
  const email = `yewande@${school.label}.example`;
  const clerk = await school.as('clerk');
  await clerk.goto('/');
  await clerk.getByRole('link', { name: 'People', exact: true }).click();
  await clerk.getByRole('link', { name: 'Add a person' }).click();
  await expect(title(clerk)).toHaveText('Add a person');
  await expect(clerk.getByRole('checkbox', { name: /School administrator/ }), 'a clerk makes no administrators').toHaveCount(0);
  await clerk.getByLabel('Name').fill('  Yewande Ashcroft-Mbeki ');
  await clerk.getByLabel('E-mail address').fill(email.toUpperCase());
  await clerk.getByRole('checkbox', { name: /^Governor/ }).check();
  await clerk.getByRole('checkbox', { name: /^Parent/ }).check();
  await clerk.getByRole('button', { name: 'Add and invite' }).click();
  await expect(title(clerk)).toHaveText('Yewande Ashcroft-Mbeki');
  await expect(notice(clerk)).toHaveText('You added Yewande Ashcroft-Mbeki. An invitation is on its way.');

  await clerk.goto('/people');
  const row = clerk.getByRole('row', { name: /Yewande/ });
  await expect(row).toContainText(email);
  await expect(row).toContainText('Governor, Parent');
  await expect(row).toContainText('Invited');
  await clerk.goto('/');
  await expect(clerk.locator('.todo')).toContainText('Yewande Ashcroft-Mbeki has not accepted the invitation');

  const letter = await letterTo(email, /./);
  expect(letter.text).toContain(school.name);
  expect(letter.link).toMatch(new RegExp(`^${school.origin}/invitation/[A-Za-z0-9_-]{43}$`));
  await open(clerk, 'Yewande Ashcroft-Mbeki');
  await clerk.getByRole('button', { name: 'Send the invitation again' }).click();
  await expect(notice(clerk)).toContainText('The earlier link no longer works.');
  const second = await letterTo(email, /./, letter.file);
  await clerk.goto(letter.link);
  await expect(title(clerk)).toHaveText('This link does not work any more');
  await clerk.goto(second.link);
  await expect(title(clerk)).toHaveText(`Welcome to ${school.name}`);
});

test('a form that was refused says what is wrong beside the field and keeps what was typed', async ({ school }) => {
  const clerk = await school.as('clerk');
  await clerk.goto('/people/add');
  await clerk.getByLabel('Name').fill('Siân Edwards');
  await clerk.getByLabel('E-mail address').fill(`sian@${school.label}.example`);
  await clerk.getByRole('button', { name: 'Add and invite' }).click();
  await expect(clerk.getByRole('alert').getByRole('link', { name: 'Choose at least one role.' })).toBeVisible();
  await expect(clerk.getByRole('group', { name: 'What they are here' })).toHaveAccessibleDescription(/Choose at least one role/);
  await expect(clerk.getByLabel('Name')).toHaveValue('Siân Edwards');
  await expect(clerk.getByLabel('E-mail address')).toHaveValue(`sian@${school.label}.example`);

  await clerk.getByLabel('E-mail address').fill(school.email('governor2'));
  await clerk.getByRole('checkbox', { name: /^Governor/ }).check();
  await clerk.getByRole('button', { name: 'Add and invite' }).click();
  await expect(clerk.getByRole('alert')).toContainText('This person is already on the list.');
  await expect(clerk.getByRole('checkbox', { name: /^Governor/ })).toBeChecked();
  await expect(clerk.getByLabel('E-mail address')).toHaveAttribute('aria-invalid', 'true');
  await clerk.getByRole('alert').getByRole('link').click();
  await expect(clerk.getByLabel('E-mail address')).toBeFocused();
});

test('a clerk changes roles', async ({ school }) => {
  const clerk = await school.as('clerk');
  await open(clerk, NAMES.governor1);
  await clerk.getByRole('link', { name: 'Change roles' }).click();
  await clerk.getByRole('button', { name: 'Take away : Governor' }).click();
  await expect(clerk.getByRole('alert')).toContainText('This is their only role.');
  await clerk.getByRole('button', { name: 'Give : Associate member' }).click();
  await expect(notice(clerk)).toHaveText(`${NAMES.governor1} has one more role.`);
  await clerk.getByRole('button', { name: 'Take away : Governor' }).click();
  await expect(notice(clerk)).toHaveText(`${NAMES.governor1} has one role less.`);
  await clerk.getByRole('link', { name: `Back to ${NAMES.governor1}` }).click();
  await expect(clerk.locator('.details')).toContainText('Associate member');
  await expect(clerk.locator('.feed')).toContainText(`${NAMES.clerk} took a role from them`);
});

test('a clerk suspends a governor, who is out at once, and restores them', async ({ school }) => {
  const clerk = await school.as('clerk');
  const governor = await school.as('governor2');
  school.watch.expected.push(/WebSocket|401/);
  await governor.goto('/');
  await expect(title(governor)).toHaveText('Hello, Siân');
  await open(clerk, NAMES.governor2);
  await clerk.getByRole('link', { name: 'Suspend…' }).click();
  await expect(title(clerk)).toHaveText(`Suspend ${NAMES.governor2}?`);
  await expect(clerk.locator('.consequences')).toContainText('signed out');
  await clerk.getByRole('button', { name: 'Suspend' }).click();
  await expect(notice(clerk)).toHaveText(`${NAMES.governor2} is suspended and signed out.`);
  // An open page leaves by itself, and its going can overtake another.
  await expect(async () => void (await governor.goto('/people'))).toPass();
  await expect(governor).toHaveURL(/\/sign-in/);

  await clerk.getByRole('button', { name: 'Restore' }).click();
  await expect(notice(clerk)).toHaveText(`${NAMES.governor2} may sign in again.`);
  await expect(clerk.getByRole('link', { name: 'Suspend…' })).toBeVisible();
  const back = await school.as('governor2');
  await back.goto('/');
  await expect(title(back)).toHaveText('Hello, Siân');
});

test('a clerk removes a governor, and gives the password again first', async ({ school }) => {
  const clerk = await school.as('clerk');
  letProofGrowOld(school.email('clerk'));
  await open(clerk, NAMES.governor3);
  await clerk.getByRole('link', { name: 'Remove…' }).click();
  await expect(title(clerk)).toHaveText('Confirm it is you');
  await clerk.getByRole('link', { name: 'Enter my password' }).click();
  await clerk.getByLabel('Your password').fill('not my password at all');
  await clerk.getByRole('button', { name: 'Continue' }).click();
  await expect(clerk.getByLabel('Your password')).toHaveAccessibleDescription(/That is not your password/);
  await clerk.getByLabel('Your password').fill(PASSWORD);
  await clerk.getByRole('button', { name: 'Continue' }).click();
  await expect(title(clerk)).toHaveText(`Remove ${NAMES.governor3} from ${school.name}?`);
  await expect(clerk.locator('.consequences')).toContainText('signed out on every device');
  await clerk.getByRole('button', { name: 'Remove' }).click();
  await expect(notice(clerk)).toContainText(`${NAMES.governor3} is removed.`);
  await expect(clerk.getByRole('link', { name: 'Remove…' })).toHaveCount(0);

  await clerk.goto('/people');
  await expect(clerk.getByRole('row', { name: new RegExp(NAMES.governor4) })).toBeVisible();
  await expect(clerk.getByRole('row', { name: new RegExp(NAMES.governor3) })).toHaveCount(0);
  await clerk.getByRole('link', { name: /^Removed/ }).click();
  await expect(clerk.getByRole('row', { name: new RegExp(NAMES.governor3) })).toBeVisible();
});

test('a page drawn before the last change says so and changes nothing', async ({ school }) => {
  const clerk = await school.as('clerk');
  await open(clerk, NAMES.governor4);
  await clerk.getByRole('link', { name: 'Suspend…' }).click();
  const admin = await school.as('admin');
  await open(admin, NAMES.governor4);
  await admin.getByRole('link', { name: 'Suspend…' }).click();
  await admin.getByRole('button', { name: 'Suspend' }).click();
  await expect(notice(admin)).toContainText('is suspended');
  await clerk.getByRole('button', { name: 'Suspend' }).click();
  await expect(clerk.locator('main')).toContainText('This has changed since you opened the page.');
  await open(clerk, NAMES.governor4);
  await expect(clerk.getByRole('button', { name: 'Restore' })).toBeVisible();
});

test('the list is searched by name, role and state', async ({ school }) => {
  const clerk = await school.as('clerk');
  await clerk.goto('/people');
  await expect(clerk.locator('caption')).toContainText('21 people');
  await clerk.getByLabel('Find by name or e-mail').fill('hargr');
  await clerk.getByRole('button', { name: 'Show' }).click();
  await expect(clerk.locator('tbody tr')).toHaveCount(1);
  await expect(clerk.getByRole('row', { name: /Eleanor Hargreaves/ })).toBeVisible();
  await clerk.getByLabel('Find by name or e-mail').fill('no such person');
  await clerk.getByRole('button', { name: 'Show' }).click();
  await expect(clerk.getByRole('heading', { name: 'Nobody matches' })).toBeVisible();
  await clerk.getByRole('link', { name: 'Show everyone' }).click();
  await expect(clerk.locator('tbody tr')).toHaveCount(21);
  await clerk.getByRole('combobox', { name: 'Role' }).selectOption('SENCO');
  await clerk.getByRole('button', { name: 'Show' }).click();
  await expect(clerk.locator('tbody tr')).toHaveCount(1);
  await expect(clerk.getByRole('combobox', { name: 'Role' })).toHaveValue('senco');
  await clerk.goto('/people');
  await clerk.getByRole('link', { name: /^Families/ }).click();
  await expect(clerk.locator('tbody tr')).toHaveCount(2);
  await clerk.getByRole('search').getByRole('searchbox').fill('zofia');
  await clerk.getByRole('search').getByRole('searchbox').press('Enter');
  await expect(clerk.locator('tbody tr')).toHaveCount(1);
  await expect(clerk.getByLabel('Find by name or e-mail')).toHaveValue('zofia');
});
