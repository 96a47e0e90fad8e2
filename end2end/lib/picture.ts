import { expect, type Page } from './test.ts';

/** Opens the school's picture, and waits until today's is made. */
export async function openPicture(page: Page, query = ''): Promise<void> {
  await expect(async () => {
    await page.goto(`/picture${query}`);
    await expect(page.getByRole('heading', { name: 'The whole school' })).toBeVisible({ timeout: 1_000 });
    await expect(page.locator('.notice.wait')).toHaveCount(0);
  }).toPass({ timeout: 30_000 });
}
