import { letterComesBack } from '../lib/database.ts';
import { expect, NAMES, test, title } from '../lib/test.ts';

test('what others did stands on one’s home until it is marked as seen', async ({ school, javaScriptEnabled }) => {
  const teacher = await school.as('teacher1');
  const clerk = await school.as('clerk');
  const changed = teacher.getByRole('region', { name: 'What changed' });
  await teacher.goto('/');
  await expect(changed).toContainText('Nothing is new for you.');

  await clerk.goto(`/people?q=${encodeURIComponent(NAMES.teacher1)}`);
  await clerk.getByRole('link', { name: `Open ${NAMES.teacher1}` }).click();
  await clerk.getByRole('link', { name: 'Change the name' }).click();
  await clerk.getByLabel('Name', { exact: true }).fill(`${NAMES.teacher1} Junior`);
  await clerk.getByRole('button', { name: 'Save the name' }).click();
  await expect(clerk.locator('.notice')).toContainText('Junior');

  if (javaScriptEnabled === false) await teacher.reload();
  await expect(changed).toContainText(`${NAMES.clerk} changed your name`);
  await changed.getByRole('button', { name: 'Mark as seen' }).click();
  await expect(changed).toContainText('Nothing is new for you.');
  // The clerk did it, and is told nothing of it; the log tells them as before.
  await clerk.goto('/');
  await expect(clerk.getByRole('button', { name: 'Mark as seen' })).toHaveCount(0);
});

test('everybody chooses how often letters come', async ({ school }) => {
  const parent = await school.as('parent1');
  await parent.goto('/me');
  await parent.getByRole('link', { name: 'Letters about what is new' }).click();
  await expect(title(parent)).toHaveText('Letters about what is new');
  await expect(parent.getByLabel('Each morning')).toBeChecked();
  await parent.getByLabel('Never').check();
  await parent.getByRole('button', { name: 'Save' }).press('Enter');
  await expect(parent.locator('.notice')).toHaveText('Saved.');
  await parent.goto('/me/notices');
  await expect(parent.getByLabel('Never')).toBeChecked();
  // Whoever has nothing to do with the board hears nothing of it.
  await expect(parent.getByRole('region', { name: 'What you hear of' })).not.toContainText('committee');
});

test('a letter that came back stands on the person’s row with the other way to reach them', async ({ school, javaScriptEnabled }) => {
  const clerk = await school.as('clerk');
  await clerk.goto(`/people?q=${encodeURIComponent(NAMES.ta1)}`);
  const row = clerk.getByRole('row', { name: NAMES.ta1 });
  await expect(row).not.toContainText('Mail came back');
  await clerk.getByRole('link', { name: `Open ${NAMES.ta1}` }).click();
  await clerk.getByRole('link', { name: 'Telephone, DBS check and training' }).click();
  await clerk.getByLabel('Number').fill('0114 496 0123 ext 7');
  await clerk.getByRole('button', { name: 'Save the number' }).click();
  await clerk.goto(`/people?q=${encodeURIComponent(NAMES.ta1)}`);
  letterComesBack(school.label, school.email('ta1'));
  if (javaScriptEnabled === false) await clerk.reload();
  await expect(row).toContainText('Mail came back');
  await expect(row.getByRole('link', { name: '0114 496 0123 ext 7' })).toHaveAttribute('href', 'tel:01144960123;ext=7');
  await clerk.goto('/people?show=returned');
  await expect(clerk.locator('tbody tr')).toHaveCount(1);
  await clerk.getByRole('link', { name: `Open ${NAMES.ta1}` }).click();
  await expect(clerk.getByText('The last letter came back on')).toBeVisible();
  await clerk.goto('/');
  await expect(clerk.getByRole('region', { name: 'What changed' })).toContainText(`Quorate could not deliver a letter to ${NAMES.ta1}`);
  // Seen is seen, also for who may read the log.
  await clerk.getByRole('button', { name: 'Mark as seen' }).click();
  await expect(clerk.getByRole('button', { name: 'Mark as seen' })).toHaveCount(0);
  await expect(clerk.getByRole('region', { name: 'What changed' })).not.toContainText('could not deliver');
});
