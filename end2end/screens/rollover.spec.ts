import { addPupil, give, openGroup, putIn } from '../lib/pupils.ts';
import { shoot } from '../lib/pictures.ts';
import { NAMES, School, test, type Page } from '../lib/test.ts';

test('pictures of the turn of the school year', async ({ browser }) => {
  test.slow();
  const school = new School(browser, true, 'school-595', 'School 595');
  const visit = async (page: Page, path: string, name: string) => {
    await page.goto(path);
    await page.locator('.live[data-state=live]').waitFor({ timeout: 3_000 }).catch(() => {});
    await page.waitForLoadState('networkidle');
    await shoot(page, name);
  };
  const admin = await school.as('admin');
  await visit(admin, '/pupils/year', '67-year-none');
  for (const [first, last, year, born] of [
    ['Aisha', 'Khan', 'Year 5', '2016-05-09'],
    ['Chidi', 'Eze', 'Year 5', '2017-05-09'],
    ['Maximiliana-Theodora', 'Featherstonehaugh-Papadopoulos', 'Year 6', '2015-05-09'],
  ] as const) {
    await addPupil(admin, { first, last, year, born });
  }
  const [five, six] = [await openGroup(admin, '5B'), await openGroup(admin, '6B')];
  await putIn(admin, five, 'Aisha Khan', 'Chidi Eze');
  await putIn(admin, six, 'Maximiliana-Theodora Featherstonehaugh-Papadopoulos');
  await give(admin, NAMES.teacher1, five);
  await visit(admin, '/pupils/year', '67-year');
  await admin.getByLabel('What becomes of 6B').selectOption({ label: 'Stays as it is' });
  await admin.getByLabel(/^Instead, for Eze, Chidi/).selectOption({ label: 'Stays in this year' });
  await admin.getByRole('button', { name: 'Move the roll up' }).click();
  await shoot(admin, '67-year-refused');
  await visit(admin, '/pupils/year', '67-year-again');
  await admin.getByRole('button', { name: 'Move the roll up' }).click();
  await shoot(admin, '67-year-done');
  await admin.getByRole('link', { name: 'Undo it' }).click();
  await shoot(admin, '67-year-undo');
  await school.close();
});
