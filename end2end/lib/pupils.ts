import { expect, title, type Page } from './test.ts';

export interface Child {
  first: string;
  last: string;
  born?: string;
  year?: string;
  upn?: string;
}

/** Puts a pupil on the roll, and leaves the office on their page. Its address. */
export async function addPupil(admin: Page, { first, last, born = '2017-05-09', year = 'Year 4', upn = '' }: Child): Promise<string> {
  await admin.goto('/pupils/add');
  await admin.getByLabel('First name').fill(first);
  await admin.getByLabel('Surname').fill(last);
  await admin.getByLabel('Date of birth').fill(born);
  await admin.getByLabel('Year group').selectOption({ label: year });
  await admin.getByLabel('Unique pupil number (UPN)').fill(upn);
  await admin.getByRole('button', { name: 'Add the pupil' }).click();
  await expect(title(admin)).toHaveText(`${first} ${last}`);
  return new URL(admin.url()).pathname;
}

/** Opens a registration group, and leaves the office on its page. Its address. */
export async function openGroup(admin: Page, name: string): Promise<string> {
  await admin.goto('/groups');
  await admin.getByLabel('Kind').selectOption({ label: 'Registration group' });
  await admin.getByLabel('Name').fill(name);
  await admin.getByRole('button', { name: 'Open the group' }).click();
  await expect(title(admin)).toHaveText(name);
  return new URL(admin.url()).pathname;
}

/** Puts those of that name who are not in it into a group. */
export async function putIn(admin: Page, group: string, ...names: string[]): Promise<void> {
  for (const name of names) {
    await admin.goto(`${group}?find=${encodeURIComponent(name)}`);
    await admin.getByRole('checkbox', { name: new RegExp(name) }).check();
    await admin.getByRole('button', { name: 'Put them in' }).click();
    await expect(admin.locator('.notice')).toHaveText('1 pupil put into the group.');
  }
}

/** Puts a group on somebody's caseload. */
export async function give(page: Page, person: string, group: string): Promise<void> {
  await page.goto(`/caseloads?group=${group.split('/').at(-1)}`);
  await page.getByLabel('Whose', { exact: true }).selectOption({ label: person });
  await page.getByRole('button', { name: 'Put it on their caseload' }).click();
  await expect(page.locator('.notice')).toContainText('It is on their caseload.');
}

/** Switches an optional field on, for a purpose. */
export async function switchOn(admin: Page, field: string): Promise<void> {
  await admin.goto('/settings/pupils');
  const row = admin.locator('.switch').filter({ has: admin.getByText(field, { exact: true }) });
  await row.getByText('Switch on').first().click();
  await row.getByLabel('What your school needs it for').fill('To plan support in lessons and to report on it.');
  await row.getByRole('button', { name: 'Switch on' }).click();
  await expect(admin.locator('.notice')).toHaveText('The field is on, with the purpose you gave.');
}
