import { join } from 'node:path';
import { policy } from '../lib/papers.ts';
import { FOLDER, shoot } from '../lib/pictures.ts';
import { School, test } from '../lib/test.ts';

test('pictures of the library', async ({ browser }) => {
  const school = new School(browser, true, 'oakfield', 'Oakfield Primary School');
  const clerk = await school.as('clerk');
  await clerk.goto('/library');
  await shoot(clerk, '40-library-empty');
  await clerk.goto('/library/add');
  await shoot(clerk, '40-folder-add');
  await clerk.getByLabel('Name', { exact: true }).fill('Policies');
  await clerk.getByRole('checkbox', { name: 'Governor', exact: true }).check();
  await clerk.getByRole('button', { name: 'Make the folder' }).click();
  await clerk.getByRole('link', { name: 'Add documents' }).first().click();
  await shoot(clerk, '41-add');
  await clerk.getByLabel('Files').setInputFiles({ name: 'Behaviour policy.pdf', mimeType: 'application/pdf', buffer: Buffer.from(await policy(12)) });
  await clerk.getByLabel('Title').fill('Behaviour policy');
  await clerk.getByRole('button', { name: 'Add', exact: true }).click();
  await clerk.locator('.versions').waitFor();
  await clerk.frameLocator('paper-reader iframe').getByText(/Telling parents/).first().waitFor({ timeout: 30_000 });
  await shoot(clerk, '42-paper');
  // As it stands in the window: a picture of a whole page leaves the frame of another origin as it was.
  for (const [width, height] of [[390, 844], [820, 1180], [1440, 900]] as const) {
    await clerk.setViewportSize({ width, height });
    await clerk.emulateMedia({ colorScheme: 'light' });
    await clerk.waitForTimeout(1_500);
    await clerk.screenshot({ path: join(FOLDER, `42-reader-${width}.png`) });
  }
  await clerk.getByRole('link', { name: 'Change', exact: true }).click();
  await shoot(clerk, '43-about');
  for (const [path, name] of [['/library', '40-library'], ['/library/policies', '44-register'], ['/library/search?q=suspension', '45-search']] as const) {
    await clerk.goto(path);
    await shoot(clerk, name);
  }
  await clerk.goto('/library');
  await clerk.getByRole('link', { name: /Policies/ }).first().click();
  await shoot(clerk, '41-folder');
  await clerk.getByRole('link', { name: 'Who reads it' }).click();
  await shoot(clerk, '43-readers');
  await school.close();
});
