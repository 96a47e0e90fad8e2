import { fillRoll } from '../lib/database.ts';
import { openPicture } from '../lib/picture.ts';
import { expect, ready, test, title } from '../lib/test.ts';

test('the first picture appears on an open page once somebody has made it', async ({ school }) => {
  const head = await school.as('head');
  await head.goto('/picture');
  await expect(title(head)).toHaveText('The school’s picture');
  await ready(head);
  await expect(head.locator('.empty')).toBeVisible();
  fillRoll(school.label, 30, 30);
  await openPicture(await school.as('senco'));
  await expect(head.getByRole('heading', { name: 'The whole school' })).toBeVisible();
});
