import { addDocument, openFolder, pdf } from '../lib/library.ts';
import { policy } from '../lib/papers.ts';
import { expect, NAMES, ready, test, title, type Page } from '../lib/test.ts';

// What the issue promises: a change by somebody else is on the screen within a second of being done.
const SECOND = { timeout: 1_000 };

/** Marks the document, so that a reload shows. */
const mark = (page: Page) => page.evaluate(() => document.documentElement.setAttribute('data-marked', ''));

/** The paper in the reader. */
const paper = (page: Page) => page.frameLocator('paper-reader iframe');

test('an open paper and an open folder move with what others do to them, and go on being live from one to the other', async ({ school }) => {
  const [clerk, governor] = [await school.as('clerk'), await school.as('governor1')];
  await openFolder(clerk, 'Policies');
  const folder = new URL(clerk.url()).pathname;
  await governor.goto(folder);
  await ready(governor);
  await mark(governor);
  await addDocument(clerk, 'Behaviour policy', pdf('b.pdf', await policy(3)));
  await expect(governor.getByRole('link', { name: 'Behaviour policy' })).toBeVisible(SECOND);
  await governor.getByRole('link', { name: 'Behaviour policy' }).click();
  await expect(title(governor)).toHaveText('Behaviour policy');
  await clerk.getByRole('link', { name: 'Change', exact: true }).click();
  await clerk.getByLabel('Title', { exact: true }).fill('Behaviour and rewards');
  await clerk.getByRole('button', { name: 'Save' }).click();
  await expect(title(clerk)).toHaveText('Behaviour and rewards');
  await expect(title(governor)).toHaveText('Behaviour and rewards', SECOND);
  await governor.getByRole('link', { name: 'Policies' }).first().click();
  await expect(title(governor)).toHaveText('Policies');
  await clerk.getByRole('link', { name: 'Change', exact: true }).click();
  await clerk.getByLabel('Title', { exact: true }).fill('Behaviour');
  await clerk.getByRole('button', { name: 'Save' }).click();
  await expect(governor.getByRole('link', { name: 'Behaviour', exact: true })).toBeVisible();
  await expect(governor.locator('html[data-marked]'), 'none of it by a reload').toHaveCount(1);
});

test('who is taken from a folder has no paper of it open a second later, and is told why', async ({ school }) => {
  const [clerk, governor] = [await school.as('clerk'), await school.as('governor1')];
  await openFolder(clerk, 'Policies');
  const folder = new URL(clerk.url()).pathname;
  await addDocument(clerk, 'Behaviour policy', pdf('b.pdf', await policy(3)));
  const address = new URL(clerk.url()).pathname;
  await clerk.goto(`${folder}/readers`);
  await clerk.getByLabel('Who', { exact: true }).selectOption({ label: 'Everybody: Chair of governors' });
  await clerk.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(clerk.getByRole('button', { name: 'Take out : Chair of governors' })).toBeVisible();

  await governor.goto(address);
  await ready(governor);
  await expect(paper(governor).getByText(/Telling parents/).first()).toBeVisible({ timeout: 20_000 });
  // The page is asked for again at once; until it is there, what was open must not be.
  let open = () => {};
  const held = new Promise<void>((done) => (open = done));
  await governor.route(`**${address}`, async (route) => (await held, route.continue()));
  await clerk.getByRole('button', { name: 'Take out : Governor' }).click();
  await expect(paper(governor).getByText('What you may read here has changed.')).toBeVisible(SECOND);
  await expect(paper(governor).getByText(/Telling parents/)).toHaveCount(0);
  open();
  await expect(governor).toHaveURL(/\/library\?why=closed$/, SECOND);
  await expect(governor.getByRole('status').filter({ hasText: 'not yours to read any more' })).toBeVisible();
  await expect(governor.locator('paper-reader')).toHaveCount(0);
  expect((await governor.goto(address))!.status()).toBe(404);
});
