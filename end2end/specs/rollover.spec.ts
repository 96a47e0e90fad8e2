import { measure } from '../lib/measure.ts';
import { addPupil, give, openGroup, putIn } from '../lib/pupils.ts';
import { expect, NAMES, test, title, type Page } from '../lib/test.ts';

const notice = (page: Page) => page.locator('.notice');
const line = (page: Page, name: RegExp) => page.getByRole('region', { name: 'Pupil by pupil' }).getByRole('row', { name });
const group = (page: Page, name: string) => page.getByRole('region', { name: 'Groups and classes' }).getByRole('row', { name: new RegExp(`^${name} `) });

/** Two year groups: 5B goes up with two pupils, and 6B leaves. */
async function school(admin: Page): Promise<{ five: string; six: string }> {
  for (const [first, year, born] of [
    ['Aisha', 'Year 5', '2016-05-09'],
    ['Chidi', 'Year 5', '2016-05-10'],
    ['Elliot', 'Year 6', '2015-05-09'],
  ] as const) {
    await addPupil(admin, { first, last: 'Turner', year, born });
  }
  const [five, six] = [await openGroup(admin, '5B'), await openGroup(admin, '6B')];
  await putIn(admin, five, 'Aisha Turner', 'Chidi Turner');
  await putIn(admin, six, 'Elliot Turner');
  await give(admin, NAMES.teacher1, five);
  return { five, six };
}

test('the roll goes up a year as it was shown, and back again', async ({ school: place }) => {
  const admin = await place.as('admin');
  const { five, six } = await school(admin);
  await admin.goto('/settings/pupils');
  await admin.getByRole('link', { name: 'The new school year' }).click();
  await expect(title(admin)).toHaveText('The new school year');

  // Nothing is changed by looking.
  await expect(line(admin, /Turner, Aisha/)).toContainText('Year 6');
  await expect(line(admin, /Turner, Elliot/)).toContainText('Leaves');
  await expect(group(admin, '5B').getByLabel('What becomes of 5B')).toHaveValue('carry');
  await expect(group(admin, '5B').getByLabel('New name of 5B')).toHaveValue('6B');
  await expect(group(admin, '6B').getByLabel('What becomes of 6B')).toHaveValue('close');
  await expect(admin.getByRole('region', { name: 'Caseloads that end' })).toContainText(`${NAMES.teacher1}: 5B`);
  await expect(admin.getByRole('region', { name: 'What will happen' })).toContainText(`Then nobody is on the caseload of ${NAMES.teacher1}.`);
  await admin.goto('/pupils');
  await expect(admin.getByRole('row', { name: /Aisha Turner/ })).toContainText('Year 5');

  // An exception that was not shown yet is not done.
  await admin.goto('/pupils/year');
  await line(admin, /Turner, Chidi/).getByLabel('Instead, for Turner, Chidi').selectOption({ label: 'Stays in this year' });
  await admin.getByRole('button', { name: 'Move the roll up' }).click();
  await expect(admin.getByRole('alert')).toContainText('You changed something in the form since this was worked out');
  await expect(line(admin, /Turner, Chidi/)).toContainText('Leaves the groups that go up.');
  await expect(line(admin, /Turner, Chidi/).getByRole('combobox')).toHaveValue('repeats');

  // Two groups of one name.
  await group(admin, '6B').getByLabel('What becomes of 6B').selectOption({ label: 'Stays as it is' });
  await admin.getByRole('button', { name: 'Work it out again' }).first().click();
  await expect(group(admin, '5B')).toContainText('Another group has this name.');
  await admin.getByRole('button', { name: 'Move the roll up' }).click();
  await expect(admin.getByRole('alert')).toContainText('Two groups would have the same name.');
  await group(admin, '6B').getByLabel('What becomes of 6B').selectOption({ label: 'Is closed' });
  await admin.getByRole('button', { name: 'Work it out again' }).first().click();
  await expect(admin.getByRole('alert')).toHaveCount(0);

  await admin.getByRole('button', { name: 'Move the roll up' }).click();
  await expect(notice(admin)).toHaveText('The roll is moved up for the new school year.');
  await expect(admin.getByRole('button', { name: 'Move the roll up' })).toHaveCount(0);
  await admin.goto('/pupils');
  await expect(admin.getByRole('row', { name: /Aisha Turner/ })).toContainText('Year 6');
  await expect(admin.getByRole('row', { name: /Chidi Turner/ })).toContainText('Year 5');
  await expect(admin.getByRole('row', { name: /Elliot Turner/ })).toHaveCount(0);
  await admin.goto(five);
  await expect(title(admin)).toHaveText('6B');
  const teacher = await place.as('teacher1');
  await teacher.goto('/pupils');
  await expect(teacher.locator('.empty')).toContainText('No pupils yet');
  expect((await teacher.goto('/pupils/year'))?.status()).toBe(404);

  // Somebody renames a group before it is undone.
  await admin.goto(five);
  await admin.getByText('Change the name').click();
  await admin.getByLabel('Name', { exact: true }).fill('Owls');
  await admin.getByRole('button', { name: 'Save the name' }).click();
  await admin.goto('/pupils/year');
  await admin.getByRole('link', { name: 'Undo it' }).click();
  await expect(admin.getByRole('region', { name: 'What stays as it is' })).toContainText('Owls');
  await admin.getByRole('button', { name: 'Undo it' }).click();
  await expect(notice(admin)).toContainText('One thing that was changed since stays as it is.');
  await admin.goto('/pupils');
  await expect(admin.getByRole('row', { name: /Aisha Turner/ })).toContainText('Year 5');
  await expect(admin.getByRole('row', { name: /Elliot Turner/ })).toContainText('Year 6');
  await admin.goto(six);
  await expect(title(admin)).toHaveText('6B');
  await teacher.goto('/pupils');
  await expect(teacher.locator('tbody tr')).toHaveCount(2);
});

test('a last day that no school year has is refused beside its field', async ({ school: place }) => {
  const admin = await place.as('admin');
  await school(admin);
  await admin.goto('/pupils/year');
  await admin.getByLabel('Its last day').fill('2019-07-22');
  await admin.getByRole('button', { name: 'Work it out again' }).first().click();
  await expect(admin.getByRole('alert')).toContainText('Enter the last day of the school year that is over');
  await expect(admin.getByLabel('Its last day')).toHaveValue('2019-07-22');
});

test('the turn of the school year is measured', async ({ school: place, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, 'axe is a script');
  test.setTimeout(180_000);
  const admin = await place.as('admin');
  await school(admin);
  await admin.goto('/pupils/year');
  await measure(admin, '/pupils/year');
});
