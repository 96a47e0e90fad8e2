import { expect, test, title } from '../lib/test.ts';

const LIST = `Name,E-mail,Role,Category
Amina Yusuf,amina@list.example,Governor,Parent
Rhys Ap Owain,rhys@list.example,Techer,
Núria Ó’Brien-Kowalczyk,nuria@list.example,Teacher + Parent,
`;

test('a clerk pastes a list, sees what becomes of each line, and mends the wrong one', async ({ school }) => {
  const clerk = await school.as('clerk');
  await clerk.goto('/people/add');
  await clerk.getByRole('link', { name: 'Add many people from a list' }).click();
  await expect(title(clerk)).toHaveText('Add many people');
  await clerk.getByRole('button', { name: 'Check the list' }).click();
  await expect(clerk.getByLabel('One person a line')).toHaveAccessibleDescription(/Paste at least one line/);

  await clerk.getByLabel('One person a line').fill(LIST);
  await clerk.keyboard.press('Tab');
  await clerk.getByRole('button', { name: 'Check the list' }).press('Enter');
  await expect(clerk.getByRole('heading', { name: '1 person can be added' })).toBeVisible();
  const wrong = clerk.getByRole('region', { name: 'To put right' });
  await expect(wrong.getByRole('row')).toHaveCount(3);
  await expect(wrong).toContainText('“Techer” is not a role here.');
  // There is no board here yet, so no seat either.
  await expect(wrong).toContainText('No seat for a parent governor is vacant.');
  await expect(clerk.getByLabel('One person a line')).toHaveValue(LIST);

  await clerk.getByRole('button', { name: 'Add and invite 1 person' }).click();
  await expect(clerk.locator('.notice')).toContainText('One person was added and invited. 2 lines were not');
  await expect(clerk.getByLabel('One person a line')).toHaveValue(/^Amina.*\nRhys.*Techer,\n$/);

  await clerk.getByLabel('One person a line').fill('rhys@list.example; Rhys Ap Owain; Teacher');
  await clerk.getByRole('button', { name: 'Check again' }).click();
  await clerk.getByRole('button', { name: 'Add and invite 1 person' }).click();
  await expect(clerk.locator('.notice')).toHaveText('One person was added and invited.');
  await clerk.goto('/people?q=list.example');
  await expect(clerk.locator('tbody tr')).toHaveCount(2);
});

test('a file does as well, and a wrong one says why', async ({ school }) => {
  const clerk = await school.as('clerk');
  await clerk.goto('/people/add-many');
  const file = (name: string, buffer: Buffer) =>
    clerk.getByLabel('Or a file').setInputFiles({ name, mimeType: 'text/csv', buffer });
  await file('list.csv', Buffer.from([0x50, 0x4b, 3, 4, 0, 0]));
  await clerk.getByRole('button', { name: 'Check the list' }).click();
  await expect(clerk.getByLabel('Or a file')).toHaveAccessibleDescription(/This file is not a text/);
  const lines = Array.from({ length: 300 }, (_, n) => `pupil${n}@list.example;Person ${n};Parent`).join('\r\n');
  await file('list.csv', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(lines, 'utf16le')]));
  await clerk.getByRole('button', { name: 'Check the list' }).click();
  await expect(clerk.getByRole('button', { name: 'Add and invite 300 people' })).toBeVisible();
  await clerk.getByRole('button', { name: 'Add and invite 300 people' }).click();
  await expect(clerk.locator('.notice')).toHaveText('300 people were added and invited.', { timeout: 60_000 });
});
