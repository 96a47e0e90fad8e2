import { expect, test, PASSWORD } from '../lib/test.ts';

test('a clerk signs in with a password and a code, and is at home', async ({ school }) => {
  const page = await school.stranger();
  await page.goto('/');
  await expect(page).toHaveURL('/sign-in');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`Sign in to ${school.name}`);
  await page.getByLabel('E-mail address').fill(school.email('clerk'));
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Enter your code');
  await page.getByLabel('Six-digit code').fill(await school.code('clerk'));
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page).toHaveURL('/');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hello, Nasreen');
});
