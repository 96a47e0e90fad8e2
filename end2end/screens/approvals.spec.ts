import { join } from 'node:path';
import { FOLDER, shoot } from '../lib/pictures.ts';
import { expect, School, test, title } from '../lib/test.ts';

// Of the demo school with its papers: PAPERS=1.
test('pictures of approvals', async ({ browser }) => {
  test.skip(process.env.PAPERS !== '1', 'the demo school has no papers');
  const school = new School(browser, true, 'oakfield', 'Oakfield Primary School');
  const [clerk, chair, dilip] = [await school.as('clerk'), await school.as('chair'), await school.as('governor1')];
  await expect(async () => {
    await clerk.goto('/library');
    await expect(clerk.getByRole('link', { name: /Policies/ }).first()).toBeVisible({ timeout: 1_000 });
  }).toPass({ timeout: 120_000 });
  await clerk.goto('/library');
  await shoot(clerk, '50-library');
  for (const [who, name] of [[clerk, 'clerk'], [chair, 'chair'], [dilip, 'governor']] as const) {
    await who.goto('/approvals');
    await shoot(who, `51-queue-${name}`);
  }
  await dilip.goto('/');
  await shoot(dilip, '52-home');
  await clerk.goto('/library');
  await clerk.getByRole('link', { name: /Policies/ }).first().click();
  await shoot(clerk, '53-folder');
  await clerk.getByRole('link', { name: /Behaviour policy/ }).first().click();
  await expect(title(clerk)).toHaveText(/Behaviour policy/);
  await shoot(clerk, '54-paper');
  const path = new URL(clerk.url()).pathname;
  await clerk.goto(`${path}/ask`);
  await shoot(clerk, '55-ask');
  await dilip.goto(path);
  await dilip.frameLocator('paper-reader iframe').locator('.textLayer').first().waitFor({ timeout: 30_000 });
  for (const [width, height] of [[390, 844], [820, 1180], [1440, 900]] as const) {
    await dilip.setViewportSize({ width, height });
    await dilip.waitForTimeout(1_500);
    await dilip.screenshot({ path: join(FOLDER, `56-reader-${width}.png`) });
  }
  await dilip.goto('/check');
  await shoot(dilip, '57-check');
  await dilip.goto('/me/reading');
  await shoot(dilip, '58-reading');
  await dilip.goto('/approvals');
  await dilip.getByRole('link', { name: /Behaviour policy/ }).last().click();
  await shoot(dilip, '59-approval');
  await school.close();
});
