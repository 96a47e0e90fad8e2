import { addPupil, give, openGroup, putIn } from '../lib/pupils.ts';
import { shoot } from '../lib/pictures.ts';
import { NAMES, School, test, type Page } from '../lib/test.ts';

const CLASS = [
  ['Aisha', 'Khan'],
  ['Benedict', 'O’Rourke-Mensah'],
  ['Chidi', 'Eze'],
  ['Dominika', 'Wiśniewska'],
  ['Maximiliana-Theodora', 'Featherstonehaugh-Papadopoulos'],
] as const;

test('pictures of pupils, groups and caseloads', async ({ browser }) => {
  test.slow();
  const school = new School(browser, true, 'school-594', 'School 594');
  const visit = async (page: Page, path: string, name: string) => {
    await page.goto(path);
    await page.locator('.live[data-state=live]').waitFor({ timeout: 3_000 }).catch(() => {});
    await page.waitForLoadState('networkidle');
    await shoot(page, name);
  };
  const admin = await school.as('admin');
  await visit(admin, '/pupils', '60-pupils-none');
  await visit(admin, '/groups', '62-groups-none');
  await visit(admin, '/caseloads', '63-caseloads-none');
  const roll: string[] = [];
  for (const [first, last] of CLASS) roll.push(await addPupil(admin, { first, last }));
  const group = await openGroup(admin, '4W');
  await putIn(admin, group, ...CLASS.slice(0, 4).map(([first, last]) => `${first} ${last}`));
  await give(admin, NAMES.teacher1, group);
  await admin.goto(roll[0]!);
  await admin.getByText('Link a parent').click();
  await admin.getByLabel('Who', { exact: true }).selectOption({ label: NAMES.parent1 });
  await admin.getByRole('button', { name: 'Link them' }).click();
  await visit(admin, '/pupils', '60-pupils');
  await visit(admin, '/pupils?q=nobody', '60-pupils-nobody');
  await visit(admin, '/pupils/add', '61-pupil-add');
  await admin.getByLabel('First name').fill('Elliot');
  await admin.getByLabel('Surname').fill('Pryce');
  await admin.getByLabel('Date of birth').fill('2017-05-09');
  await admin.getByLabel('Unique pupil number (UPN)').fill('A801200005001');
  await admin.getByRole('button', { name: 'Add the pupil' }).click();
  await shoot(admin, '61-pupil-add-upn');
  await visit(admin, roll[0]!, '61-pupil');
  await visit(admin, `${roll[0]}/edit`, '61-pupil-edit');
  await visit(admin, `${roll[0]}/remove`, '61-pupil-remove');
  await admin.goto(roll[0]!);
  const contact = (await admin.getByRole('link', { name: /^Restrict contact/ }).getAttribute('href'))!;
  await visit(admin, contact, '61-pupil-contact');
  await visit(admin, '/groups', '62-groups');
  await visit(admin, `${group}?year=4`, '62-group');
  await visit(admin, '/caseloads', '63-caseloads');
  await visit(admin, '/settings/pupils', '64-settings');
  await visit(admin, '/pupils/looked', '65-looked');

  const teacher = await school.as('teacher1');
  await visit(teacher, '/pupils', '60-pupils-teacher');
  await visit(teacher, roll[0]!, '61-pupil-teacher');
  await visit(teacher, '/pupils/seek', '66-seek');
  await teacher.getByLabel('First name').fill(CLASS[4][0]);
  await teacher.getByLabel('Surname').fill(CLASS[4][1]);
  await teacher.getByLabel('Why').selectOption({ index: 1 });
  await teacher.getByLabel('In a few words').fill('Covering 4W for Jasmine this afternoon.');
  await teacher.getByRole('button', { name: 'Open the record' }).click();
  await shoot(teacher, '66-seek-found');
  await visit(teacher, '/pupils', '60-pupils-teacher-open');
  await visit(await school.as('ta1'), '/pupils', '60-pupils-assistant-none');
  await school.close();
});
