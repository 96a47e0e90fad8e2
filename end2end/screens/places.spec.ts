import { lengthenTrust } from '../lib/database.ts';
import { shoot } from '../lib/pictures.ts';
import { enterCode, enterPassword, School, test, type Page, type Who } from '../lib/test.ts';

test('pictures of a trust and of the bare host', async ({ browser }) => {
  const trust = new School(browser, true, 'beacon', 'Beacon Learning Trust');
  const visit = async (page: Page, path: string, name: string) => {
    await page.goto(path);
    await page.locator('.live[data-state=live]').waitFor({ timeout: 3_000 }).catch(() => {});
    await page.waitForLoadState('networkidle');
    await shoot(page, name);
  };
  const lead = await trust.as('lead' as Who);
  await visit(lead, '/overview', '30-schools');
  const school = new School(browser, true, 'oakfield', 'Oakfield Primary School');
  const governor = await school.as('governor1');
  await visit(governor, '/board', '30-board-of-trust');
  const bare = await trust.stranger({ baseURL: `http://localhost:${process.env.E2E_PORT}` });
  await bare.goto('/sign-in');
  await enterPassword(bare, 'clerk@beacon.example');
  await enterCode(bare, await trust.code('clerk' as Who));
  await visit(bare, '/', '31-places');
  lengthenTrust('beacon', 40, 'clerk@beacon.example');
  await visit(lead, '/overview', '30-schools-forty');
  await visit(bare, '/', '31-places-suspended');
  const clerk = await trust.as('clerk' as Who);
  await visit(clerk, '/overview', '30-schools-mine');
  await trust.close();
  await school.close();
});
