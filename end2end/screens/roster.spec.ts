import { addPupil } from '../lib/pupils.ts';
import { shoot } from '../lib/pictures.ts';
import { read, readSix, SIX, windows1252 } from '../lib/rosters.ts';
import { School, test, type Page } from '../lib/test.ts';

test('pictures of rosters', async ({ browser }) => {
  test.slow();
  const school = new School(browser, true, 'school-187', 'School 187');
  const visit = async (page: Page, path: string, name: string) => {
    await page.goto(path);
    await page.locator('.live[data-state=live]').waitFor({ timeout: 3_000 }).catch(() => {});
    await page.waitForLoadState('networkidle');
    await shoot(page, name);
  };
  const admin = await school.as('admin');
  await visit(admin, '/roster', '67-rosters-none');
  await addPupil(admin, { first: 'Chidi', last: 'Eze', born: '2016-11-14', year: 'Year 5' });
  await addPupil(admin, { first: 'Maximiliana-Theodora', last: 'Featherstonehaugh-Papadopoulos' });
  await admin.goto('/roster');
  await read(admin, windows1252(SIX.replace('DOB', 'Day one')));
  await admin.getByRole('alert').waitFor();
  await shoot(admin, '67-rosters-columns');
  const roster = await readSix(admin);
  await shoot(admin, '68-roster');
  await visit(admin, `${roster}?verdict=bad`, '68-roster-bad');
  await visit(admin, '/roster/reading/01900000-0000-7000-8000-000000000004', '68-roster-reading');
  await admin.goto(roster);
  await admin.getByRole('button', { name: /^Take in/ }).click();
  await admin.getByRole('region', { name: 'What was taken' }).waitFor();
  await shoot(admin, '68-roster-taken');
  await visit(admin, `${roster}/undo`, '68-roster-undo');
  await visit(admin, '/roster', '67-rosters');
  await school.close();
});
