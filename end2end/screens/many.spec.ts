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

test('pictures of a list of people', async ({ browser }) => {
  const school = new School(browser, true, 'oakfield', 'Oakfield Primary School');
  const clerk = await school.as('clerk');
  await clerk.goto('/people/add-many');
  await shoot(clerk, '30-many');
  await clerk.getByLabel('One person a line').fill(
    'Name,E-mail,Role,Category\nAmina Yusuf,amina@list.example,Governor + Parent,Parent\nRhys Ap Owain,rhys@list.example,Techer\n' +
      'Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh Nwachukwu-Papadopoulos,a.very.long.address.of.somebody@a-long-school-name.example,Teacher\n' +
      'Me,clerk@oakfield.example,Clerk to governors\nBo,bo@list.example,Governor,Local authority\n',
  );
  await clerk.getByRole('button', { name: 'Check the list' }).click();
  await clerk.getByRole('button', { name: /^Add and invite/ }).waitFor();
  await shoot(clerk, '31-many-checked');
  await clerk.getByRole('button', { name: /^Add and invite/ }).click();
  await clerk.locator('.notice').waitFor();
  await shoot(clerk, '32-many-added');
  await school.close();
});
