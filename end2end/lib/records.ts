import { addPupil, give, openGroup, putIn } from './pupils.ts';
import { expect, NAMES, type Page, type School, title } from './test.ts';

/** Two pupils of a class that teacher1 has on their caseload, and one of another class. */
export async function oneClass(school: School): Promise<{ aisha: string; chidi: string; elliot: string }> {
  const admin = await school.as('admin');
  const aisha = await addPupil(admin, { first: 'Aisha', last: 'Khan' });
  const chidi = await addPupil(admin, { first: 'Chidi', last: 'Eze' });
  const elliot = await addPupil(admin, { first: 'Elliot', last: 'Pryce', year: 'Year 5' });
  const group = await openGroup(admin, '4W');
  await putIn(admin, group, 'Aisha Khan', 'Chidi Eze');
  await give(admin, NAMES.teacher1, group);
  return { aisha, chidi, elliot };
}

/** Writes an observation, and leaves its author on the record's page. Its address. */
export async function observe(page: Page, pupil: string, text: string, day?: string): Promise<string> {
  await page.goto(`${pupil}/records/add?kind=observation`);
  await page.getByLabel('What you saw').fill(text);
  if (day) {
    await page.getByLabel('Day', { exact: true }).fill(day);
    await page.getByLabel('Time', { exact: true }).fill('');
  }
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(title(page)).toHaveText('Observation');
  await expect(page.locator('.notice.good')).toContainText('Saved.');
  return new URL(page.url()).pathname;
}

/** The records of a timeline, the newest first. */
export const timeline = (page: Page) => page.locator('ol.timeline > li');
