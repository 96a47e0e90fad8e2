import { readFile } from 'node:fs/promises';
import { measure } from '../lib/measure.ts';
import { addPupil } from '../lib/pupils.ts';
import { read, readSix, SIX, windows1252 } from '../lib/rosters.ts';
import { expect, NAMES, test, title, type Page } from '../lib/test.ts';

const notice = (page: Page) => page.locator('.notice');
const lines = (page: Page) => page.locator('.roster-lines tbody tr');
const column = (page: Page, name: string) => page.getByRole('region', { name: 'Its columns' }).getByRole('row', { name: new RegExp(`^${name}`) });

test('the office reads six pupils, sees what each line and column becomes, takes them in, and undoes it', async ({ school }) => {
  const admin = await school.as('admin');
  await admin.goto('/pupils');
  await admin.getByRole('link', { name: 'Rosters' }).click();
  await expect(title(admin)).toHaveText('Rosters');
  await expect(admin.locator('.empty')).toContainText('No roster yet');
  const roster = await readSix(admin);
  await expect(notice(admin)).toContainText('Nothing is on the roll yet.');
  await expect(title(admin)).toHaveText('Year 4 and 5.csv');
  await expect(admin.locator('.roster-stands')).toContainText(`Read by ${NAMES.admin}`);

  await expect(lines(admin)).toHaveCount(6);
  const khan = lines(admin).filter({ hasText: 'Khan, Aisha' });
  await expect(khan).toContainText('Cannot be taken');
  await expect(khan).toContainText('Line 6');
  await expect(khan.locator('.repair')).toBeVisible();
  const born = lines(admin).filter({ hasText: 'Müller, Dominika' });
  await expect(born).toContainText('31 February 2017 does not exist');
  const formula = lines(admin).filter({ hasText: '=HYPERLINK' });
  await expect(formula).toContainText('kept as text');
  const sian = lines(admin).filter({ hasText: 'O’Rourke-Mensah, Siân' });
  await expect(sian).toContainText('New pupil');
  await expect(sian).toContainText('9 May 2017');
  await expect(sian).toContainText('4W');

  await expect(column(admin, 'Surname')).toContainText('Read as “Surname”');
  await expect(column(admin, 'Shoe size')).toContainText('No field goes by this name');
  await expect(column(admin, 'FSM')).toContainText('is not switched on at your school, so nothing of this column was kept.');

  await admin.getByRole('navigation', { name: 'Which lines' }).getByRole('link', { name: /^Cannot be taken/ }).click();
  await expect(lines(admin)).toHaveCount(2);
  const download = admin.waitForEvent('download');
  await admin.getByRole('link', { name: /^Download the lines that cannot be taken/ }).click();
  const csv = await readFile(await (await download).path(), 'utf8');
  expect(csv.split('\n').filter(Boolean)).toHaveLength(3);
  expect(csv).toContain('31 February 2017 does not exist');
  expect(csv, 'what was left out').not.toContain('Shoe');

  await admin.getByRole('button', { name: 'Take in 4 new pupils' }).click();
  await expect(admin.locator('.roster-stands')).toContainText('Taken in, can be undone');
  const taken = admin.getByRole('region', { name: 'What was taken' });
  await expect(taken).toContainText('4 new pupils, 0 changed, 2 lines left out.');
  await expect(taken).toContainText('2 classes and registration groups were made.');
  await admin.goto('/pupils');
  await expect(admin.locator('tbody tr')).toHaveCount(4);
  await expect(admin.getByText('Siân O’Rourke-Mensah')).toBeVisible();

  // The same file again changes nothing.
  await readSix(admin, 'The same again.csv');
  await expect(admin.getByRole('heading', { name: 'No pupil would change' })).toBeVisible();
  await expect(lines(admin).filter({ hasText: 'No change' })).toHaveCount(4);
  await admin.getByText('Throw this roster away').click();
  await admin.getByRole('button', { name: 'Throw it away' }).click();
  await expect(notice(admin)).toContainText('Nothing was taken from it.');
  await expect(admin.getByRole('row', { name: /The same again/ })).toContainText('Thrown away');

  await admin.goto(roster);
  await admin.getByRole('link', { name: 'Undo it' }).click();
  await expect(title(admin)).toHaveText('Undo what was taken from Year 4 and 5.csv?');
  await expect(admin.locator('.consequences')).toContainText('4 pupils are taken off the roll who came with this roster.');
  await admin.getByRole('button', { name: 'Undo it' }).click();
  await expect(notice(admin)).toHaveText('What was taken from this roster is undone.');
  await admin.goto('/pupils');
  await expect(admin.locator('.empty')).toContainText('No pupils yet');
});

test('a later edit stays when a roster is undone, and is shown first', async ({ school }) => {
  const admin = await school.as('admin');
  const roster = await readSix(admin);
  await admin.getByRole('button', { name: 'Take in 4 new pupils' }).click();
  await expect(admin.locator('.roster-stands')).toContainText('Taken in');
  await admin.goto('/pupils');
  await admin.getByRole('link', { name: 'Chidi Eze' }).click();
  await admin.getByRole('link', { name: 'Correct the details' }).click();
  await admin.getByLabel('Surname').fill('Okafor');
  await admin.getByRole('button', { name: /^Save/ }).click();
  await expect(title(admin)).toHaveText('Chidi Okafor');
  await admin.goto(`${roster}/undo`);
  await expect(admin.getByRole('region', { name: '1 new pupil stays' })).toContainText('Okafor, Chidi');
  await admin.getByRole('button', { name: 'Undo it' }).click();
  await expect(notice(admin)).toHaveText('What was taken from this roster is undone.');
  await admin.goto('/pupils');
  await expect(admin.locator('tbody tr')).toHaveCount(1);
});

test('a column that nobody knows is matched by hand, and the answer is remembered', async ({ school }) => {
  const admin = await school.as('admin');
  const file = windows1252(SIX.replace('DOB', 'Day one'));
  await admin.goto('/roster');
  await read(admin, file);
  await expect(admin.getByRole('alert')).toContainText('No column is the date of birth: say which column it is.');
  await expect(admin.getByLabel('The file')).toHaveAccessibleDescription(/No column is the date of birth/);
  await expect(admin.getByLabel('Forename', { exact: true })).toHaveValue('first_name');
  await admin.getByLabel('Day one').selectOption({ label: 'Date of birth' });
  await admin.getByLabel('Reg', { exact: true }).selectOption({ label: 'Leave it out' });
  await read(admin, file);
  await expect(title(admin)).toHaveText('Year 4 and 5.csv');
  await expect(column(admin, 'Reg')).toContainText('Somebody here said so.');
  await admin.goto('/roster');
  await read(admin, file);
  await expect(column(admin, 'Day one')).toContainText('Read as “Date of birth”');
  await expect(column(admin, 'Reg')).toContainText('Left out');
  // Otherwise after all: the first reading goes.
  const first = new URL(admin.url()).pathname;
  await admin.getByText('A column is not what it was taken for').click();
  await admin.getByLabel('Reg', { exact: true }).selectOption({ label: 'Registration group' });
  await read(admin, file, 'Again.csv');
  await expect(title(admin)).toHaveText('Again.csv');
  await expect(column(admin, 'Reg')).toContainText('Read as');
  await admin.goto(first);
  await expect(admin.locator('.roster-stands')).toContainText('Thrown away');
});

test('a pupil of the same name is asked about, and those who are missing are offered as leavers', async ({ school }) => {
  const admin = await school.as('admin');
  await addPupil(admin, { first: 'Chidi', last: 'Eze', born: '2016-11-14', year: 'Year 5' });
  await addPupil(admin, { first: 'Elliot', last: 'Pryce' });
  const roster = await readSix(admin);
  const chidi = lines(admin).filter({ hasText: 'Eze, Chidi' });
  await expect(chidi).toContainText('To be confirmed');
  await chidi.getByRole('button', { name: /^The same pupil/ }).click();
  await expect(notice(admin)).toHaveText('Your answer is kept.');
  await admin.goto(roster);
  await expect(chidi).toContainText('Changed');
  const absent = admin.getByRole('region', { name: '1 pupil is not in this file' });
  await absent.getByRole('checkbox', { name: /Pryce, Elliot/ }).check();
  await absent.getByLabel('Last day here').fill(new Date(Date.now() - 86_400_000).toISOString().slice(0, 10));
  await absent.getByRole('button', { name: 'Record that they left' }).click();
  await expect(notice(admin)).toHaveText('It is recorded that they left.');
  await expect(absent).toHaveCount(0);
  await admin.getByRole('button', { name: 'Compare again' }).click();
  await expect(notice(admin)).toHaveText('Compared with the roll as it is now.');
  await admin.getByRole('button', { name: 'Take in 3 new pupils and 1 change' }).click();
  await expect(admin.getByRole('region', { name: 'What was taken' })).toContainText('3 new pupils, 1 changed, 2 lines left out.');
});

test('a file that is no roster is refused in a sentence beside its field', async ({ school }) => {
  const admin = await school.as('admin');
  await admin.goto('/roster');
  await read(admin, Buffer.from('%PDF-1.7\n%âãÏÓ\n1 0 obj\n', 'latin1'));
  await expect(admin.getByRole('alert')).toContainText('This is a PDF, not a table.');
  await expect(admin.getByLabel('The file')).toHaveAccessibleDescription(/This is a PDF, not a table/);
  await expect(admin.locator('.empty')).toContainText('No roster yet');
});

for (const who of ['teacher1', 'senco', 'parent1', 'governor1', 'clerk'] as const) {
  test(`there is nothing of rosters for ${who}`, async ({ school }) => {
    const admin = await school.as('admin');
    const roster = await readSix(admin);
    const page = await school.as(who);
    for (const path of ['/roster', roster, `${roster}/undo`, '/roster/reading/01900000-0000-7000-8000-000000000004']) {
      expect((await page.goto(path))?.status(), path).toBe(404);
      await expect(page.getByText('O’Rourke-Mensah')).toHaveCount(0);
    }
    // The negative can fail: who keeps the roll has that page.
    expect((await admin.goto(roster))?.status()).toBe(200);
    expect((await page.goto(`${roster}/not-taken.csv`))!.status()).toBe(404);
    const [file] = await Promise.all([admin.waitForEvent('download'), admin.locator(`a[href$="/not-taken.csv"]`).click()]);
    expect(file.suggestedFilename()).toMatch(/\.csv$/);
  });
}

test('every page about rosters is measured', async ({ school, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, 'axe is a script');
  test.setTimeout(180_000);
  const admin = await school.as('admin');
  await admin.goto('/roster');
  await measure(admin, '/roster without any');
  await addPupil(admin, { first: 'Elliot', last: 'Pryce' });
  const roster = await readSix(admin);
  await measure(admin, '/roster/…');
  await admin.goto('/roster');
  await read(admin, windows1252(SIX.replace('DOB', 'Day one')));
  await expect(admin.getByRole('alert')).toBeVisible();
  await measure(admin, '/roster, columns to be matched');
  await admin.goto('/roster/reading/01900000-0000-7000-8000-000000000004');
  await measure(admin, '/roster/reading/…');
  await admin.goto(roster);
  await admin.getByRole('button', { name: 'Take in 4 new pupils' }).click();
  await expect(admin.locator('.roster-stands')).toContainText('Taken in');
  await measure(admin, '/roster/…, taken in');
  await admin.goto(`${roster}/undo`);
  await measure(admin, '/roster/…/undo');
  await admin.goto('/roster');
  await measure(admin, '/roster');
});
