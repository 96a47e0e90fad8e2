import { letterComesBack } from '../lib/database.ts';
import { shoot } from '../lib/pictures.ts';
import { School, test } from '../lib/test.ts';

test('pictures of what is new', async ({ browser }) => {
  const school = new School(browser, true, 'oakfield', 'Oakfield Primary School');
  const clerk = await school.as('clerk');
  letterComesBack('oakfield', 'governor3@oakfield.example');
  letterComesBack('oakfield', 'chair@oakfield.example');
  await clerk.goto('/');
  await clerk.getByRole('button', { name: 'Mark as seen' }).waitFor();
  await shoot(clerk, '40-home');
  await clerk.goto('/me/notices');
  await shoot(clerk, '41-notices');
  await clerk.goto('/people?show=returned');
  await clerk.getByText('Mail came back').last().waitFor();
  await shoot(clerk, '42-returned');
  await clerk.locator('tbody').getByRole('link').last().click();
  await clerk.getByText('The last letter came back').waitFor();
  await shoot(clerk, '43-returned-person');
  const parent = await school.as('parent1');
  await parent.goto('/');
  await shoot(parent, '44-home-parent');
  await school.close();
});
