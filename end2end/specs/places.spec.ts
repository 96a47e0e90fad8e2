import { foundTrust } from '../lib/database.ts';
import { enterCode, enterPassword, expect, NAMES, test, title } from '../lib/test.ts';

const bare = () => `http://localhost:${process.env.E2E_PORT}`;

test('what waits at each school stands on the bare host, and a trust’s schools stand side by side', async ({ school }) => {
  const clerk = await school.as('clerk');
  await clerk.goto('/people/add');
  await clerk.getByLabel('Name').fill('Amara Diallo');
  await clerk.getByLabel('E-mail address').fill(`amara@${school.label}.example`);
  await clerk.getByRole('checkbox', { name: /^Governor/ }).check();
  await clerk.getByRole('button', { name: 'Add and invite' }).click();
  await expect(title(clerk)).toHaveText('Amara Diallo');
  const trust = foundTrust(school.label, school.email('clerk'), NAMES.clerk);

  const page = await school.stranger({ baseURL: bare() });
  await page.goto('/sign-in');
  await enterPassword(page, school.email('clerk'));
  await enterCode(page, await school.code('clerk'));
  await expect(page.locator('.school-card')).toHaveCount(2);
  const card = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: school.name, exact: true }) });
  await expect(card).toContainText('1 person has not accepted the invitation, waiting since today');
  await expect(page.getByText('Amara')).toHaveCount(0);

  await page.getByRole('button', { name: `Open Trust of ${school.label}` }).click();
  await expect(page).toHaveURL(`http://${trust}.localhost:${process.env.E2E_PORT}/`);
  await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Schools' }).click();
  await expect(title(page)).toHaveText('Schools of the trust');
  const row = page.getByRole('row', { name: new RegExp(`^${school.name}`) });
  await expect(row).toContainText('1 person has not accepted');
  await expect(page.getByText('Amara')).toHaveCount(0);
  await row.getByRole('button', { name: `People of ${school.name}` }).click();
  await expect(page).toHaveURL(`${school.origin}/people`);

  await clerk.goto('/board');
  await expect(clerk.getByRole('region', { name: 'What the trust sees' })).toContainText(`Trust of ${school.label} sees`);
});
