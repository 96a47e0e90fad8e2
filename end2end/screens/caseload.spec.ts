import { classOf, pupil, step } from '../lib/checkin.ts';
import { shoot } from '../lib/pictures.ts';
import { School, test, type Page } from '../lib/test.ts';

const CLASS = [
  ['Aisha', 'Khan'],
  ['Benedict', 'O’Rourke-Mensah'],
  ['Chidi', 'Eze'],
  ['Dominika', 'Wiśniewska'],
  ['Maximiliana-Theodora', 'Featherstonehaugh-Papadopoulos'],
  ['Elliot', 'Pryce'],
] as const;
const DOMAINS = ['safe', 'healthy', 'settled', 'connected', 'listened_to', 'learning', 'active', 'hopeful'];

test('pictures of the caseload and the check-in', async ({ browser }) => {
  test.slow();
  const school = new School(browser, true, 'school-591', 'School 591');
  const visit = async (page: Page, path: string, name: string) => {
    await page.goto(path);
    await page.locator('.live[data-state=live]').waitFor({ timeout: 3_000 }).catch(() => {});
    await page.waitForLoadState('networkidle');
    await shoot(page, name);
  };
  const teacher = await school.as('teacher1');
  await visit(teacher, '/caseload', '70-caseload-none');
  await visit(teacher, '/check-in', '71-check-in-none');
  const admin = await school.as('admin');
  const { id } = await classOf(admin, '4W', ...CLASS);
  await visit(teacher, '/caseload', '70-caseload-unseen');
  await visit(teacher, '/check-in', '71-check-in-whom');
  await visit(teacher, `/check-in?group=${id}`, '72-check-in');
  await teacher.getByRole('checkbox', { name: 'All eight' }).check();
  for (const [n, [first]] of CLASS.slice(0, 5).entries()) {
    for (const [m, domain] of DOMAINS.slice(0, 8 - n).entries()) await step(teacher, first, domain, ((n * 3 + m * 2) % 5) + 1).click();
  }
  await pupil(teacher, 'Elliot').locator('details.note > summary').click();
  await pupil(teacher, 'Elliot').getByLabel(/^Note about/).fill('Was with his aunt today.');
  await shoot(teacher, '72-check-in-all-eight');
  await teacher.getByRole('button', { name: 'Save the check-in' }).click();
  await shoot(teacher, '72-check-in-refused');
  await step(teacher, 'Elliot', 'settled', 3).click();
  await teacher.getByRole('button', { name: 'Save the check-in' }).click();
  await shoot(teacher, '70-caseload-done');
  await visit(teacher, '/caseload?order=unseen', '70-caseload');
  await visit(teacher, '/pupils', '60-pupils-teacher-list');
  await visit(admin, '/caseload', '70-caseload-choose');
  await visit(admin, `/caseload?group=${id}`, '70-caseload-school');
  await school.close();
});
