import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { School, test, type Page } from '../lib/test.ts';

const FOLDER = process.env.SCREENS ?? 'test-results/screens';

async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  for (const width of [390, 820, 1440]) {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.screenshot({ path: join(FOLDER, `${name}-${width}-${colorScheme}.png`), fullPage: true });
    }
  }
}

test('pictures of the board and the log', async ({ browser }) => {
  const school = new School(browser, true, 'oakfield', 'Oakfield Primary School');
  const visit = async (page: Page, path: string, name: string) => {
    await page.goto(path);
    await page.locator('.live[data-state=live]').waitFor({ timeout: 3_000 }).catch(() => {});
    await page.waitForLoadState('networkidle');
    await shoot(page, name);
  };
  const clerk = await school.as('clerk');
  await visit(clerk, '/board', '20-board');
  await visit(clerk, '/board/seats/add', '20-seat-add');
  const of = async (name: string) => (await clerk.getByRole('link', { name, exact: true }).first().getAttribute('href'))!;
  await clerk.goto('/board');
  const seats = clerk.getByRole('link', { name: /^Change / });
  const [held, committee] = [(await seats.nth(0).getAttribute('href'))!, (await clerk.locator('a.open').first().getAttribute('href'))!];
  const vacant = (await clerk.getByRole('row', { name: /Vacant/ }).first().getByRole('link', { name: /^Change / }).getAttribute('href'))!;
  const chair = await of('Margaret Oyelaran');
  await visit(clerk, held, '20-seat');
  await visit(clerk, vacant, '20-seat-vacant');
  await visit(clerk, committee, '21-committee');
  await visit(clerk, '/board/committees/add', '21-committee-add');
  await visit(clerk, '/board/interests', '22-interests');
  await visit(clerk, '/board/interests/declare', '22-declare');
  await visit(clerk, chair, '23-person-on-board');
  await visit(clerk, `${chair}/checks`, '23-checks');
  await visit(clerk, '/audit', '24-log');
  await visit(clerk, '/audit/1', '24-line');
  await visit(clerk, '/audit?from=2020-01-01&to=2020-02-31', '24-log-wrong-date');
  await clerk.goto('/people');
  const gone = (await clerk.getByRole('link', { name: 'Open Callum Fraser' }).getAttribute('href'))!;
  await clerk.goto(`${gone}/remove`);
  await clerk.getByRole('button', { name: 'Remove' }).click();
  await clerk.waitForURL(/audit/);
  await shoot(clerk, '25-receipt');
  await clerk.emulateMedia({ media: 'print' });
  await clerk.screenshot({ path: join(FOLDER, '25-receipt-print.png'), fullPage: true });
  await visit(await school.as('governor2'), '/board', '20-board-governor');
  await visit(await school.as('admin'), '/settings', '12-settings');
  await school.close();
});
