import { devices } from '@playwright/test';
import { expect, NAMES, PASSWORD, test, title } from '../lib/test.ts';

const { viewport, userAgent, deviceScaleFactor, isMobile, hasTouch } = devices['Pixel 7'];

test('the clerk’s whole job on a phone, by touch', async ({ school }) => {
  const page = await school.stranger({ viewport, userAgent, deviceScaleFactor, isMobile, hasTouch });
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const link = (name: string) => page.getByRole('link', { name, exact: true });
  const notice = page.locator('.notice');
  const day = (later: number) => new Date(Date.now() + later * 86_400_000).toISOString().slice(0, 10);
  const fits = async () => {
    await page.waitForLoadState();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide, `${page.url()} scrolls sideways`).toBeLessThanOrEqual(0);
  };
  await page.goto('/');
  await page.getByLabel('E-mail address').fill(school.email('clerk'));
  await page.getByLabel('Password').fill(PASSWORD);
  await button('Sign in').tap();
  await page.getByLabel('Six-digit code').fill(await school.code('clerk'));
  await page.keyboard.press('Enter');
  await expect(title(page)).toHaveText('Hello, Nasreen');
  await fits();

  // Somebody new.
  await link('People').tap();
  await link('Add a person').tap();
  await page.getByLabel('Name').fill('Aoife Keyes');
  await page.getByLabel('E-mail address').fill(`aoife@${school.label}.example`);
  await page.getByRole('checkbox', { name: /^Governor/ }).tap();
  await button('Add and invite').tap();
  await expect(title(page)).toHaveText('Aoife Keyes');
  await fits();

  // A seat, and who holds it.
  await link('Board').tap();
  await link('Add a seat').first().tap();
  await page.getByLabel('Category').selectOption({ label: 'Parent governor' });
  await page.getByLabel('Appointed by').fill('Parents of the school');
  await page.getByLabel('From').fill(day(-1000));
  await button('Add the seat').tap();
  await link('Change Parent governor 1').tap();
  await page.getByLabel('Who').selectOption({ label: `${NAMES.governor1} (Governor)` });
  await page.getByLabel('First day').fill(day(-100));
  await button('Record the term').tap();
  await expect(notice).toHaveText('The term of office is recorded.');
  await fits();

  // A committee.
  await link('Board').tap();
  await link('Add a committee').first().tap();
  await page.getByLabel('Name').fill('Premises');
  await button('Add the committee').tap();
  await page.getByLabel('Who', { exact: true }).selectOption({ label: `${NAMES.governor1} (Governor)` });
  await button('Add to the committee').tap();
  await expect(page.getByRole('row', { name: new RegExp(NAMES.governor1) })).toBeVisible();
  await fits();

  // The clerk's own interests.
  await link('Board').tap();
  await link('Register of interests').first().tap();
  await link('Declare my interests').tap();
  await page.getByRole('radio', { name: /^Nothing to declare/ }).tap();
  await button('Declare').tap();
  await expect(notice).toHaveText('Your declaration is in the register.');
  await fits();

  // Out, with a receipt that can be opened again from the log.
  await link('People').tap();
  await link(`Open ${NAMES.governor1}`).tap();
  await link('Remove…').tap();
  await button('Remove').tap();
  await expect(title(page)).toHaveText(`Receipt: ${NAMES.governor1} was removed`);
  const hash = await page.locator('code.hash').first().innerText();
  await fits();
  await link('The log').first().tap();
  await expect(title(page)).toHaveText('The log');
  await fits();
  await page.getByRole('link', { name: new RegExp(`removed ${NAMES.governor1}`) }).tap();
  await expect(page.locator('code.hash').first()).toHaveText(hash);
});
