import { observe, oneClass } from '../lib/records.ts';
import { shoot } from '../lib/pictures.ts';
import { NAMES, School, test, type Page } from '../lib/test.ts';

const day = (later: number) => new Date(Date.now() + later * 86_400_000).toISOString().slice(0, 10);

test('pictures of the records of a pupil', async ({ browser }) => {
  test.slow();
  const school = new School(browser, true, 'school-194', 'School 194');
  const visit = async (page: Page, path: string, name: string) => {
    await page.goto(path);
    await page.locator('.live[data-state=live]').waitFor({ timeout: 3_000 }).catch(() => {});
    await page.waitForLoadState('networkidle');
    await shoot(page, name);
  };
  const { aisha } = await oneClass(school);
  const teacher = await school.as('teacher1');
  await visit(teacher, aisha, '70-record-none');
  await observe(teacher, aisha, 'Sat with Dominika at lunch, and told her about the kittens at her grandmother’s. Ate everything.', day(-12));
  await observe(teacher, aisha, 'Would not come in from the playground. I stayed with her; after ten minutes she came by herself.', day(-5));
  const record = await observe(teacher, aisha, 'Read aloud to the whole class for the first time.');
  await teacher.goto(`${aisha}/records/add?kind=intervention`);
  await teacher.getByLabel('What it is to change').fill('Comes in from break without help');
  await teacher.getByLabel('What is done').fill('Five minutes with an adult before the bell, three times a week');
  await teacher.getByLabel('Who does it').selectOption({ label: NAMES.ta1 });
  await teacher.getByLabel('How many sessions').fill('12');
  await teacher.getByLabel('Look at it again on').fill(day(28));
  await teacher.getByRole('button', { name: 'Save' }).click();
  await visit(teacher, aisha, '70-record');
  await visit(teacher, `${aisha}?known=${day(-2)}`, '70-record-known');
  await visit(teacher, record, '71-record-one');
  await visit(teacher, `${record}/edit`, '71-record-edit');
  await visit(teacher, `${record}/put`, '71-record-put');
  await teacher.getByRole('button', { name: 'Put on record' }).click();
  await shoot(teacher, '71-record-cooling');
  for (const kind of ['observation', 'conversation', 'plan', 'intervention', 'instrument', 'instrument&of=sdq', 'instrument&of=other']) {
    await visit(teacher, `${aisha}/records/add?kind=${kind}`, `72-record-add-${kind.replace('&of=', '-')}`);
  }
  await teacher.goto(`${aisha}/records/add?kind=observation`);
  await teacher.getByText('Other pupils had a part in it').click();
  await teacher.getByLabel('What you saw').fill('She had a bruise on her arm and said nothing about it.');
  await teacher.locator('#body ~ .prompt:not(:empty)').waitFor();
  await shoot(teacher, '73-record-prompt');
  await school.close();
});
