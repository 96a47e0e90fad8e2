import { checkedIn, putOnRecord } from '../lib/database.ts';
import { asParent, inviteParent } from '../lib/parents.ts';
import { addPupil } from '../lib/pupils.ts';
import { shoot } from '../lib/pictures.ts';
import { School, test, type Page } from '../lib/test.ts';

const ENTRIES = [
  'Aisha settled quickly after lunch and read to a younger child.',
  'We have agreed with Aisha that she may leave the room for five minutes when it gets loud. She shows a card and goes to the library corner.\n\nWe look at it again at half term.',
  'Aisha had a difficult morning. She told us that she had not slept. By the afternoon she was back with her friends.',
];

test('pictures of what parents see', async ({ browser }) => {
  test.slow();
  const school = new School(browser, true, 'school-196', 'School 196');
  const visit = async (page: Page, path: string, name: string) => {
    await page.goto(path);
    await page.locator('.live[data-state=live]').waitFor({ timeout: 3_000 }).catch(() => {});
    await page.waitForLoadState('networkidle');
    await shoot(page, name);
  };
  const admin = await school.as('admin');
  const parent = await school.as('parent1');
  await visit(parent, '/children', '70-children-none');
  const by = school.email('teacher1');
  const aisha = await addPupil(admin, { first: 'Aisha', last: 'Khan' });
  await admin.getByText('Invite a parent').click();
  await shoot(admin, '71-invite-parent');
  await inviteParent(admin, aisha, 'O. Adeyemi', school.email('parent1'), 'Father');
  await shoot(admin, '71-invited-parent');
  await visit(parent, '/children', '70-child-nothing');
  ENTRIES.forEach((words, n) => putOnRecord(school.label, 'Aisha', by, words, 3 + 12 * n));
  checkedIn(school.label, 'Aisha', by, 14);
  await admin.goto('/settings/pupils/parents');
  await admin.getByRole('checkbox', { name: /^Parents see how/ }).check();
  await admin.getByLabel('Who parents can talk to').fill('Your child’s class teacher, at the gate after school. Or Harriet Beaumont, 0114 496 0123.');
  await admin.getByRole('button', { name: 'Save' }).click();
  await shoot(admin, '72-settings-parents');
  await visit(parent, '/', '70-home-parent');
  await visit(parent, '/children', '70-child');
  await parent.getByText('Say something to this').first().click();
  await parent.getByLabel('What you want to say').first().fill('Thank you. She told us about it too, and she is proud.');
  await shoot(parent, '70-child-says');
  await parent.getByRole('button', { name: 'Add my words' }).first().click();
  await shoot(parent, '70-child-said');
  const other = await addPupil(admin, { first: 'Maximiliana-Theodora', last: 'Featherstonehaugh-Papadopoulos' });
  await inviteParent(admin, other, 'O. Adeyemi', school.email('parent1'), 'Carer');
  await visit(parent, '/children', '70-children');
  await visit(parent, asParent(other), '70-child-other');
  await school.close();
});
