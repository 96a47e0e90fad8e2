import { policy } from '../lib/papers.ts';
import { shoot } from '../lib/pictures.ts';
import { expect, School, test, title } from '../lib/test.ts';

// Of the demo school with its papers: PAPERS=1.
test('pictures of a paper’s other pages', async ({ browser }) => {
  test.skip(process.env.PAPERS !== '1', 'the demo school has no papers');
  const school = new School(browser, true, 'oakfield', 'Oakfield Primary School');
  const [clerk, dilip] = [await school.as('clerk'), await school.as('governor1')];
  await expect(async () => {
    await clerk.goto('/library/search?q=suspension');
    await expect(clerk.getByRole('link', { name: /Behaviour policy/ }).first()).toBeVisible({ timeout: 1_000 });
  }).toPass({ timeout: 120_000 });
  await shoot(clerk, '61-search');
  await clerk.goto('/library/policies');
  await shoot(clerk, '62-register');
  await clerk.goto('/library/search?q=suspension');
  await clerk.getByRole('link', { name: /Behaviour policy/ }).first().click();
  await expect(title(clerk)).toHaveText(/Behaviour policy/);
  const paper = new URL(clerk.url()).pathname;
  await dilip.goto(`${paper}/changes`);
  await shoot(dilip, '63-changes');
  await clerk.getByRole('link', { name: 'Change', exact: true }).click();
  await shoot(clerk, '64-about');
  await dilip.goto(paper);
  await dilip.getByRole('link', { name: 'All of it' }).click();
  await expect(dilip).toHaveURL(/\/approvals\//);
  await shoot(dilip, '65-whole-approval');
  // While it sends: what is sent stays on its way.
  await clerk.goto('/library');
  await clerk.getByRole('link', { name: /Policies/ }).first().click();
  await clerk.goto(`${new URL(clerk.url()).pathname}/add`);
  await clerk.route('**/uploads/**', () => {});
  const buffer = Buffer.from(await policy(40));
  const files = ['Behaviour policy, as the governors wish it, with the annex about travelling home alone', 'Attendance', 'Uniform'];
  await clerk.getByLabel('Files').setInputFiles(files.map((name) => ({ name: `${name}.pdf`, mimeType: 'application/pdf', buffer })));
  await clerk.getByRole('button', { name: 'Add', exact: true }).click();
  await clerk.locator('progress').first().waitFor();
  await shoot(clerk, '66-sending');
  await school.close();
});
