import { addPupil, give, openGroup, putIn } from '../lib/pupils.ts';
import { expect, NAMES, ready, test, title } from '../lib/test.ts';

test('a caseload that ends closes the open record with a sentence', async ({ school }) => {
  const admin = await school.as('admin');
  const chidi = await addPupil(admin, { first: 'Chidi', last: 'Eze' });
  const group = await openGroup(admin, '4W');
  await putIn(admin, group, 'Chidi Eze');
  await give(admin, NAMES.teacher1, group);
  const teacher = await school.as('teacher1');
  school.watch.expected.push(/WebSocket|404/);
  await teacher.goto(chidi);
  await expect(title(teacher)).toHaveText('Chidi Eze');
  await ready(teacher);
  await admin.goto('/caseloads');
  await admin.getByRole('button', { name: /^End now/ }).click();
  await expect(teacher).toHaveURL('/pupils?why=closed');
  await expect(teacher.locator('.notice')).toContainText('not yours to see any more');
  await expect(teacher.getByText('Chidi')).toHaveCount(0);
});

test('a pupil put into the class is on the teacher’s page without a reload', async ({ school }) => {
  const admin = await school.as('admin');
  await addPupil(admin, { first: 'Aisha', last: 'Khan' });
  const group = await openGroup(admin, '4W');
  await give(admin, NAMES.teacher1, group);
  const teacher = await school.as('teacher1');
  await teacher.goto('/pupils');
  await ready(teacher);
  await expect(teacher.locator('.empty')).toBeVisible();
  await putIn(admin, group, 'Aisha Khan');
  await expect(teacher.getByRole('row', { name: /Aisha Khan/ })).toBeVisible();
});
