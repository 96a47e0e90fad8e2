import { type Locator } from '@playwright/test';
import { expect, NAMES, PASSWORD, test, title, type Page } from '../lib/test.ts';

/** Goes on with Tab until the element has the focus, which must be seen wherever it rests. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let pressed = 0; pressed < 120; pressed += 1) {
    await page.keyboard.press('Tab');
    const seen = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return 'nothing';
      // A round or square box inside its label may leave the ring to the label.
      const ringed = [element, element.closest('label')].some((part) => {
        if (!part) return false;
        const { outlineStyle, outlineWidth } = getComputedStyle(part);
        return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 3;
      });
      const { width, height } = element.getBoundingClientRect();
      return ringed && width > 0 && height > 0 ? 'seen' : `unseen: ${element.outerHTML.slice(0, 120)}`;
    });
    if (seen !== 'nothing') expect(seen).toBe('seen');
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error('Tab never got there');
}

test('the skip link comes first and leads past the frame', async ({ school }) => {
  const page = await school.as('clerk');
  await page.goto('/people');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the page' })).toBeFocused();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Add a person' })).toBeFocused();
});

test('a clerk signs in, adds, changes, suspends, restores and removes with the keyboard alone', async ({ school }) => {
  const page = await school.stranger();
  const button = (name: string) => page.getByRole('button', { name });
  const link = (name: string) => page.getByRole('link', { name, exact: true });
  await page.goto('/sign-in');
  await tabTo(page, page.getByLabel('E-mail address'));
  await page.keyboard.type(school.email('clerk'));
  await tabTo(page, page.getByLabel('Password'));
  await page.keyboard.type(PASSWORD);
  await tabTo(page, button('Sign in'));
  await page.keyboard.press('Enter');
  await expect(title(page)).toHaveText('Enter your code');
  await tabTo(page, page.getByLabel('Six-digit code'));
  await page.keyboard.type(await school.code('clerk'));
  await page.keyboard.press('Enter');
  await expect(title(page)).toHaveText('Hello, Nasreen');

  await tabTo(page, link('People'));
  await page.keyboard.press('Enter');
  await expect(title(page)).toHaveText('People');
  await tabTo(page, link('Add a person'));
  await page.keyboard.press('Enter');
  await expect(title(page)).toHaveText('Add a person');
  await tabTo(page, page.getByLabel('Name'));
  await page.keyboard.type('Aoife Keyes');
  await tabTo(page, page.getByLabel('E-mail address'));
  await page.keyboard.type(`aoife@${school.label}.example`);
  await tabTo(page, page.getByRole('checkbox', { name: /^Governor/ }));
  await page.keyboard.press('Space');
  await tabTo(page, button('Add and invite'));
  await page.keyboard.press('Enter');
  await expect(title(page)).toHaveText('Aoife Keyes');

  await page.goto('/people');
  await tabTo(page, link(`Open ${NAMES.governor1}`));
  await page.keyboard.press('Enter');
  await expect(title(page)).toHaveText(NAMES.governor1);
  await tabTo(page, link('Change roles'));
  await page.keyboard.press('Enter');
  await expect(title(page)).toHaveText(`Roles of ${NAMES.governor1}`);
  await tabTo(page, button('Give : Associate member'));
  await page.keyboard.press('Enter');
  await expect(page.getByText(`${NAMES.governor1} has one more role.`)).toBeVisible();
  await tabTo(page, link(`Back to ${NAMES.governor1}`));
  await page.keyboard.press('Enter');
  await expect(title(page)).toHaveText(NAMES.governor1);

  await tabTo(page, link('Suspend…'));
  await page.keyboard.press('Enter');
  await expect(title(page)).toHaveText(`Suspend ${NAMES.governor1}?`);
  await tabTo(page, button('Suspend'));
  await page.keyboard.press('Enter');
  await expect(page.getByText(`${NAMES.governor1} is suspended and signed out.`)).toBeVisible();
  await tabTo(page, button('Restore'));
  await page.keyboard.press('Enter');
  await expect(page.getByText(`${NAMES.governor1} may sign in again.`)).toBeVisible();
  await tabTo(page, link('Remove…'));
  await page.keyboard.press('Enter');
  await expect(title(page)).toHaveText(`Remove ${NAMES.governor1} from ${school.name}?`);
  await tabTo(page, button('Remove'));
  await page.keyboard.press('Enter');
  await expect(title(page)).toHaveText(`Receipt: ${NAMES.governor1} was removed`);

  await tabTo(page, page.locator('details.who > summary'));
  await page.keyboard.press('Enter');
  await tabTo(page, button('Sign out'));
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/sign-in?why=left');
});

test('a clerk keeps the board, its committee and the register with the keyboard alone', async ({ school }) => {
  const page = await school.as('clerk');
  const press = async (target: Locator, then?: string) => {
    await tabTo(page, target);
    await page.keyboard.press('Enter');
    if (then) await expect(title(page)).toHaveText(then);
  };
  const type = async (target: Locator, text: string) => {
    await tabTo(page, target);
    await page.keyboard.type(text);
  };
  const day = (later: number) => {
    const [year, month, date] = new Date(Date.now() + later * 86_400_000).toISOString().slice(0, 10).split('-');
    return `${month}${date}${year}`;
  };
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const link = (name: string) => page.getByRole('link', { name, exact: true });
  const notice = page.locator('.notice');
  await page.goto('/');
  await press(link('Board'), 'The board');
  await press(link('Add a seat').first(), 'Add a seat');
  // In a list one types what one wants; in a date its parts one after the other, as this browser orders them.
  await type(page.getByLabel('Category'), 'Co-opted');
  await type(page.getByLabel('Appointed by'), 'The governing board');
  await type(page.getByLabel('From'), day(-1000));
  await press(button('Add the seat'));
  await expect(notice).toHaveText('The seat is on the board.');
  await press(link('Change Co-opted governor 1'), 'Co-opted governor 1');
  await type(page.getByLabel('Who'), NAMES.governor1);
  await type(page.getByLabel('First day'), day(-100));
  await press(button('Record the term'));
  await expect(notice).toHaveText('The term of office is recorded.');

  await press(link('Board'), 'The board');
  await press(link('Add a committee').first(), 'Add a committee');
  await type(page.getByLabel('Name'), 'Premises');
  await press(button('Add the committee'), 'Premises');
  await type(page.getByLabel('Who', { exact: true }), NAMES.governor1);
  await press(button('Add to the committee'));
  await expect(page.getByRole('row', { name: new RegExp(NAMES.governor1) })).toBeVisible();
  await type(page.getByLabel('Who leads it'), NAMES.governor1);
  await press(button('Save the chair'));
  await expect(notice).toBeVisible();
  await expect(page.getByRole('row', { name: new RegExp(NAMES.governor1) })).toContainText('Chair');

  await press(link('Board'), 'The board');
  await press(link('Register of interests').first(), 'Register of interests');
  await press(link('Declare my interests'), 'Declare my interests');
  await tabTo(page, page.getByRole('radio', { name: /^Nothing to declare/ }));
  await page.keyboard.press('Space');
  await press(button('Declare'));
  await expect(notice).toHaveText('Your declaration is in the register.');
  await press(link('The log'), 'The log');
  await press(page.getByRole('link', { name: /declared their interests/ }).first());
  await expect(page.locator('code.hash').first()).toHaveText(/^[0-9a-f]{64}$/);
});
