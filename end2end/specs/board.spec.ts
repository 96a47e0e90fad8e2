import { expect, NAMES, test, title, type Page } from '../lib/test.ts';

const notice = (page: Page) => page.locator('.notice');
const day = (later: number) => new Date(Date.now() + later * 86_400_000).toISOString().slice(0, 10);
const fact = (page: Page, name: string) => page.locator('.facts > div').filter({ hasText: name }).locator('dd');

/** A seat on the board, empty, and its page. */
async function openSeat(clerk: Page, category: string, by: string): Promise<void> {
  await clerk.goto('/board/seats/add');
  await clerk.getByLabel('Category').selectOption({ label: category });
  await clerk.getByLabel('Appointed by').fill(by);
  await clerk.getByLabel('From').fill(day(-1000));
  await clerk.getByRole('button', { name: 'Add the seat' }).click();
  await expect(notice(clerk)).toHaveText('The seat is on the board.');
}

const seatOf = async (clerk: Page, name: string) => {
  await clerk.goto('/board');
  await clerk.getByRole('link', { name: `Change ${name}` }).click();
  await expect(title(clerk)).toHaveText(name);
};

async function seat(clerk: Page, name: string, from: string, to = ''): Promise<void> {
  await clerk.getByLabel('Who').selectOption({ label: name });
  await clerk.getByLabel('First day').fill(from);
  if (to) await clerk.getByLabel('Last day', { exact: true }).fill(to);
  await clerk.getByRole('button', { name: 'Record the term' }).click();
}

test('a clerk keeps the board: seats, terms of office, vacancies and the quorum', async ({ school }) => {
  const clerk = await school.as('clerk');
  await clerk.goto('/board');
  await expect(clerk.locator('.empty').first()).toContainText('No seats yet');
  for (const [category, by] of [
    ['Parent governor', 'Parents of the school'],
    ['Parent governor', 'Parents of the school'],
    ['Co-opted governor', 'The governing board'],
    ['Associate member', 'The governing board'],
  ] as const) {
    await openSeat(clerk, category, by);
  }
  await expect(fact(clerk, 'Vacant')).toContainText('3');
  await expect(fact(clerk, 'Quorum')).toContainText('0');

  await seatOf(clerk, 'Parent governor 1');
  await clerk.getByRole('button', { name: 'Record the term' }).click();
  await expect(clerk.getByLabel('Who')).toHaveAccessibleDescription(/Choose a person from the list/);
  await seat(clerk, `${NAMES.governor1} (Governor)`, day(-100), day(-200));
  await expect(clerk.getByRole('alert')).toContainText('The last day lies before the first.');
  await expect(clerk.getByLabel('First day')).toHaveValue(day(-100));
  await seat(clerk, `${NAMES.governor1} (Governor)`, day(-100), day(30));
  await expect(notice(clerk)).toHaveText('The term of office is recorded.');
  await seat(clerk, `${NAMES.governor2} (Governor)`, day(10));
  await expect(clerk.getByRole('alert')).toContainText('Somebody holds this seat in that time.');

  await seatOf(clerk, 'Parent governor 2');
  await seat(clerk, `${NAMES.governor1} (Governor)`, day(0));
  await expect(clerk.getByRole('alert')).toContainText('This person holds a seat in that time already.');
  await seat(clerk, `${NAMES.governor2} (Governor)`, day(0));
  await expect(notice(clerk)).toHaveText('The term of office is recorded.');

  await clerk.goto('/board');
  await expect(fact(clerk, 'In post')).toContainText('2');
  await expect(fact(clerk, 'Quorum')).toContainText('1');
  await expect(fact(clerk, 'Ending soon')).toContainText('1');
  await expect(clerk.getByRole('row', { name: /Parent governor 1/ })).toContainText('Ends soon');

  await seatOf(clerk, 'Parent governor 2');
  await clerk.getByText('End the term').click();
  await clerk.getByLabel('Last day in office').fill(day(-1));
  await clerk.getByRole('button', { name: 'Record the end' }).click();
  await expect(clerk.getByRole('alert')).toContainText('The last day lies before the first.');
  await clerk.getByLabel('Last day in office').fill(day(0));
  await clerk.getByRole('button', { name: 'Record the end' }).click();
  await expect(notice(clerk)).toHaveText('The end of the term is recorded.');

  await clerk.goto('/');
  await expect(clerk.locator('.todo')).toContainText('Parent governor 1: find somebody to follow');
  await expect(clerk.locator('.todo')).toContainText('1 seat is vacant on the board');
  await clerk.goto('/people?category=parent');
  await expect(clerk.locator('tbody tr')).toHaveCount(2);
  await expect(clerk.getByRole('row', { name: new RegExp(NAMES.governor1) })).toContainText('Parent governor 1');
  await clerk.getByRole('link', { name: /^Term ends soon/ }).click();
  await expect(clerk.locator('tbody tr').first()).toContainText(NAMES.governor1);
  const [table] = await Promise.all([clerk.waitForEvent('download'), clerk.getByRole('button', { name: 'Download as CSV' }).click()]);
  expect(table.suggestedFilename()).toBe('people.csv');

  const governor = await school.as('governor1');
  await governor.goto('/board');
  await expect(governor.getByRole('link', { name: /^Change / })).toHaveCount(0);
  await expect(governor.getByRole('link', { name: 'Add a seat' })).toHaveCount(0);
});

test('a committee has its people, its chair and a quorum of its own', async ({ school }) => {
  const clerk = await school.as('clerk');
  await clerk.goto('/board/committees/add');
  await clerk.getByLabel('Name').fill('Finance & <Premises>');
  await clerk.getByLabel('What it is for').fill('Money.\nBuildings </textarea>.');
  await clerk.getByLabel('Quorum').fill('2');
  await clerk.getByRole('button', { name: 'Add the committee' }).click();
  await expect(clerk.getByRole('alert')).toContainText('three governors or more');
  await expect(clerk.getByLabel('What it is for')).toHaveValue('Money.\nBuildings </textarea>.');
  await clerk.getByLabel('Quorum').fill('3');
  await clerk.getByRole('button', { name: 'Add the committee' }).click();
  await expect(title(clerk)).toHaveText('Finance & <Premises>');

  await clerk.getByLabel('Who', { exact: true }).selectOption({ label: `${NAMES.governor3} (Governor)` });
  await clerk.getByRole('button', { name: 'Add to the committee' }).click();
  await expect(clerk.getByRole('row', { name: new RegExp(NAMES.governor3) })).toBeVisible();
  await clerk.getByLabel('Who', { exact: true }).selectOption({ label: `${NAMES.governor3} (Governor)` });
  await clerk.getByRole('button', { name: 'Add to the committee' }).click();
  await expect(clerk.getByRole('alert')).toContainText('sits on the committee in that time already');
  await clerk.getByLabel('Who leads it').selectOption({ label: NAMES.governor3 });
  await clerk.getByRole('button', { name: 'Save the chair' }).click();
  await expect(clerk.getByRole('row', { name: new RegExp(NAMES.governor3) })).toContainText('Chair');
  await clerk.getByRole('button', { name: `Take off : ${NAMES.governor3}` }).click();
  await expect(notice(clerk)).toHaveText('Their place on the committee has ended.');
  // The page hears of its own end, and may ask once more before it is left.
  school.watch.expected.push(/404/);
  await clerk.getByText('Close this committee').click();
  await clerk.getByRole('button', { name: 'Close the committee' }).click();
  await expect(notice(clerk)).toHaveText('The committee is closed, and the places on it have ended.');
});

test('a governor declares what they have to declare, and the register shows it', async ({ school }) => {
  const clerk = await school.as('clerk');
  await openSeat(clerk, 'Co-opted governor', 'The governing board');
  await seatOf(clerk, 'Co-opted governor 1');
  await seat(clerk, `${NAMES.governor4} (Governor)`, day(0));
  await clerk.goto('/board/interests');
  await expect(clerk.getByRole('row', { name: new RegExp(NAMES.governor4) })).toContainText('Not yet');

  const governor = await school.as('governor4');
  await governor.goto('/');
  await expect(governor.locator('.todo')).toContainText('Declare your interests');
  await governor.goto('/board/interests');
  await governor.getByRole('link', { name: 'Declare my interests' }).click();
  await governor.getByRole('radio', { name: /^The interests below/ }).check();
  await governor.getByRole('button', { name: 'Declare' }).click();
  await expect(governor.getByRole('alert')).toContainText('Either declare nothing, or enter at least one interest.');
  await governor.getByRole('group', { name: 'Interest 1' }).getByLabel('With whom').fill('Beacon Catering Ltd');
  await governor.getByRole('group', { name: 'Interest 1' }).getByLabel('What it is').fill('Director; it supplies school meals.');
  await governor.getByRole('group', { name: 'Interest 1' }).getByLabel('Since').fill('2024-02-29');
  await governor.getByRole('button', { name: 'Declare' }).click();
  await expect(notice(governor)).toHaveText('Your declaration is in the register.');
  const row = governor.getByRole('row', { name: new RegExp(NAMES.governor4) });
  await expect(row).toContainText('Beacon Catering Ltd');
  await expect(row).toContainText('since 29 February 2024');
  await governor.goto('/');
  await expect(governor.locator('.empty')).toContainText('Nothing.');
  await governor.goto('/board/interests');

  await governor.getByRole('link', { name: 'Declare my interests' }).click();
  await expect(governor.getByRole('group', { name: 'Interest 1' }).getByLabel('With whom')).toHaveValue('Beacon Catering Ltd');
  await governor.getByRole('radio', { name: /^Nothing to declare/ }).check();
  await governor.getByRole('button', { name: 'Declare' }).click();
  await expect(governor.getByRole('alert')).toContainText('Either declare nothing');
  const outsider = await school.as('teacher1');
  await outsider.goto('/board/interests');
  await expect(outsider.getByRole('link', { name: 'Declare my interests' })).toHaveCount(0);
});

test('removing somebody with a term and a place on a committee ends in a receipt', async ({ school }) => {
  const clerk = await school.as('clerk');
  await openSeat(clerk, 'Co-opted governor', 'The governing board');
  await seatOf(clerk, 'Co-opted governor 1');
  await seat(clerk, `${NAMES.governor2} (Governor)`, day(-5));
  const [phone, laptop] = [await school.as('governor2'), await school.as('governor2')];
  school.watch.expected.push(/WebSocket|401/);
  await phone.goto('/');
  await laptop.goto('/board');
  await clerk.goto('/people');
  await clerk.getByRole('link', { name: `Open ${NAMES.governor2}` }).click();
  await expect(clerk.locator('#on-board')).toBeVisible();
  await clerk.getByRole('link', { name: 'Remove…' }).click();
  await clerk.getByRole('button', { name: 'Remove' }).click();
  await expect(title(clerk)).toHaveText(`Receipt: ${NAMES.governor2} was removed`);
  const ended = clerk.locator('.counts > div');
  await expect(ended.filter({ hasText: 'Devices signed out' })).toContainText('2');
  await expect(ended.filter({ hasText: 'Terms of office' })).toContainText('1');
  const address = clerk.url();
  const hash = await clerk.locator('code.hash').first().innerText();
  expect(hash).toMatch(/^[0-9a-f]{64}$/);

  await clerk.goto('/audit');
  await clerk.getByRole('link', { name: new RegExp(`removed ${NAMES.governor2}`) }).click();
  await expect(clerk).toHaveURL(address.split('?')[0]!);
  await expect(clerk.locator('code.hash').first()).toHaveText(hash);
  await clerk.goto('/board');
  await expect(clerk.getByRole('row', { name: /Co-opted governor 1/ }), 'in post until the end of the day').toContainText(NAMES.governor2);
  // An open page leaves by itself, and its going can overtake another.
  await expect(async () => void (await laptop.goto('/board'))).toPass();
  await expect(laptop).toHaveURL(/\/sign-in/);
});
