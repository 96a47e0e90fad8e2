import { putOnRecord } from '../lib/database.ts';
import { asParent, inviteParent, restrict } from '../lib/parents.ts';
import { addPupil } from '../lib/pupils.ts';
import { expect, ready, test, title } from '../lib/test.ts';

test('what is put on record comes onto the parent’s open page, and what they type stays', async ({ school }) => {
  const admin = await school.as('admin');
  const aisha = await addPupil(admin, { first: 'Aisha', last: 'Khan' });
  await inviteParent(admin, aisha, 'O. Adeyemi', school.email('parent1'));
  putOnRecord(school.label, 'Aisha', school.email('teacher1'), 'The first one.', 3);
  const parent = await school.as('parent1');
  await parent.goto(asParent(aisha));
  await ready(parent);
  await parent.getByText('Say something to this').click();
  await parent.getByLabel('What you want to say').fill('Half a sen');
  putOnRecord(school.label, 'Aisha', school.email('teacher1'), 'The second one.', 1);
  await expect(parent.getByText('The second one.')).toBeVisible();
  const first = parent.getByRole('article').filter({ hasText: 'The first one.' });
  await expect(first.getByLabel('What you want to say')).toHaveValue('Half a sen');
});

test('an order of the court closes the open page of the child without a word', async ({ school }) => {
  const admin = await school.as('admin');
  const aisha = await addPupil(admin, { first: 'Aisha', last: 'Khan' });
  await inviteParent(admin, aisha, 'O. Adeyemi', school.email('parent1'));
  putOnRecord(school.label, 'Aisha', school.email('teacher1'), 'Aisha was kind to a friend.');
  const parent = await school.as('parent1');
  const beside = await parent.context().newPage();
  school.watch.expected.push(/WebSocket|404/);
  await parent.goto(asParent(aisha));
  await beside.goto('/children');
  for (const page of [parent, beside]) {
    await expect(title(page)).toHaveText('Aisha Khan');
    await ready(page);
  }
  await restrict(admin, aisha);
  for (const page of [parent, beside]) {
    await expect(title(page)).toHaveText('Your children');
    await expect(page).toHaveURL('/children');
    await expect(page.locator('body')).not.toContainText(/Aisha|restrict|court|closed|not yours/i);
    await expect(page.locator('.notice')).toHaveCount(0);
  }
});
