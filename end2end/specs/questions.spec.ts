import { measure } from '../lib/measure.ts';
import { saying } from '../lib/papers.ts';
import { addDocument, addVersion, openFolder, pdf } from '../lib/shelf.ts';
import { expect, NAMES, test, title, type Page } from '../lib/test.ts';

const MOVES = 'A suspension of more than five school days is reported to the governing board without delay.';
const LETTER = 'Parents are told in writing on the same day, and by telephone where that is quicker.';
const AIMS = ['Every pupil has the right to learn, and every teacher the right to teach.', 'The board reviews this policy each year in the autumn term.'];
const FIRST = [AIMS, ['The head teacher may suspend a pupil for a fixed period.', MOVES, LETTER, 'Work is set and marked from the first day.']];
const SECOND = [['This cover is new.'], AIMS, ['The head teacher may suspend a pupil for a fixed period.', MOVES.replace('five school days', 'ten school days'), 'Work is set and marked from the first day.']];

const card = (page: Page) => page.getByRole('region', { name: /questions? (or|and) comments?/ });
const thread = (page: Page, text: string) => card(page).getByRole('listitem').filter({ hasText: text });

/** Asks about a sentence by typing it, as one does without a script. */
async function ask(page: Page, text: string, sentence = ''): Promise<void> {
  await page.getByText('Ask or say something', { exact: true }).click();
  await page.getByLabel('Your question or comment').fill(text);
  await page.locator('form[data-quote="ask"]').getByLabel('The sentence it is about').fill(sentence);
  await page.getByRole('button', { name: 'Ask', exact: true }).click();
  await expect(page.locator('.notice.good')).toContainText('It is asked');
}

test('a governor asks about a sentence, the clerk answers, and a corrected version keeps the question on it', async ({ school, javaScriptEnabled }) => {
  test.setTimeout(120_000);
  const [clerk, governor] = [await school.as('clerk'), await school.as('governor1')];
  await openFolder(clerk, 'Policies');
  await addDocument(clerk, 'Behaviour policy', pdf('Behaviour policy.pdf', await saying(FIRST)));
  const path = new URL(clerk.url()).pathname;
  await governor.goto(path);
  if (javaScriptEnabled) {
    // Chosen in the document itself.
    const paper = governor.frameLocator('paper-reader iframe');
    const line = paper.getByText(/A suspension of more than five/).first();
    await expect(line).toBeVisible({ timeout: 20_000 });
    await line.scrollIntoViewIfNeeded();
    await line.evaluate((element) => {
      const range = document.createRange();
      range.selectNodeContents(element);
      document.getSelection()!.removeAllRanges();
      document.getSelection()!.addRange(range);
    });
    await paper.locator('[data-ask="ask"]').click();
    await expect(governor.locator('form[data-quote="ask"]').getByLabel('The sentence it is about')).toHaveValue(/A suspension of more than five school days/);
    await governor.getByLabel('Your question or comment').fill('Does this include managed moves?');
    await governor.getByRole('button', { name: 'Ask', exact: true }).click();
    await expect(governor.locator('.notice.good')).toContainText('It is asked');
  } else {
    await ask(governor, 'Does this include managed moves?', 'A suspension of more than five school days is reported');
    await Promise.all([governor.waitForEvent('download'), governor.getByRole('link', { name: 'Download' }).first().click()]);
  }
  await ask(governor, 'Who telephones?', LETTER);
  await ask(governor, 'Who wrote this?');

  // On the clerk's open page within a second, and the answer on the governor's.
  if (!javaScriptEnabled) await clerk.reload();
  const asked = thread(clerk, 'Does this include managed moves?');
  await expect(asked).toContainText('on page 2', { timeout: 5_000 });
  await expect(asked.locator('blockquote')).toContainText('A suspension of more than five school days');
  await asked.getByText('Reply', { exact: true }).click();
  await asked.getByLabel('Your reply').fill('No; the next version will say so.');
  await asked.getByLabel('This answers it').check();
  await asked.getByRole('button', { name: 'Send the reply' }).click();
  await expect(thread(clerk, 'Does this include managed moves?')).toContainText('Answered');
  if (!javaScriptEnabled) await governor.reload();
  await expect(thread(governor, 'Does this include managed moves?')).toContainText('No; the next version will say so.', { timeout: 5_000 });

  // A first-time reader hears nothing of changes; who has read version 1 is told what is new.
  await expect(governor.getByText(/You last read version/)).toHaveCount(0);
  await clerk.goto(path);
  await addVersion(clerk, 'Ten days', pdf('Behaviour policy 2.pdf', await saying(SECOND)));
  await expect(clerk.locator('.notice.good')).toContainText('It is filed', { timeout: 30_000 });
  await governor.goto(path);
  await expect(governor.getByText('You last read version 1.')).toBeVisible();
  await expect(governor.getByText('Pages 1 and 3 changed.')).toBeVisible();
  const kept = thread(governor, 'Does this include managed moves?');
  await expect(kept).toContainText('asked on version 1, still on its sentence, on page 3');
  await expect(kept.locator('blockquote')).toContainText('ten school days');
  await expect(card(governor).getByRole('heading', { name: 'The sentence has gone' })).toBeVisible();
  await expect(thread(governor, 'Who telephones?')).toContainText('asked on version 1 ·');
  const there = thread(governor, 'Who telephones?').getByRole('link', { name: 'Read it on version 1, page 2' });
  await expect(there).toHaveAttribute('href', `${path}?version=1#page=2`);
  await expect(thread(governor, 'Who wrote this?')).toContainText('about the document as a whole');

  await governor.getByRole('link', { name: 'See what changed' }).click();
  await expect(title(governor)).toHaveText('What changed in Behaviour policy');
  await expect(governor.locator('ins').filter({ hasText: 'ten', visible: true })).toBeVisible();
  await expect(governor.locator('del').filter({ hasText: 'five', visible: true })).toBeVisible();
  await expect(governor.locator('del').filter({ hasText: 'Parents are told', visible: true })).toBeVisible();
  if (javaScriptEnabled) await measure(governor, 'what changed');
  await governor.goto(path);
  if (javaScriptEnabled) await measure(governor, 'a paper with questions');
  await there.click();
  await expect(governor).toHaveURL(`${path}?version=1#page=2`);
  await expect(governor.getByText('This is version 1. The newest is version 2.')).toBeVisible();
  await expect(card(governor).getByRole('heading', { name: 'The sentence has gone' })).toHaveCount(0);
  await governor.goto(path);
  await thread(governor, 'Who wrote this?').getByRole('button', { name: 'Take back' }).click();
  await expect(thread(governor, 'Who wrote this?')).toHaveCount(0);
});

test('a note and what is put to one person are nobody else’s, and what is refused is still typed', async ({ school }) => {
  const [clerk, admin, governor] = [await school.as('clerk'), await school.as('admin'), await school.as('governor1')];
  await openFolder(clerk, 'Policies');
  await addDocument(clerk, 'Behaviour policy', pdf('Behaviour policy.pdf', await saying(FIRST)));
  const path = new URL(clerk.url()).pathname;
  await governor.goto(path);
  await governor.getByText('Keep a note only for yourself', { exact: true }).click();
  await governor.getByLabel('Your note').fill('Compare with last year');
  await governor.locator('form[data-quote="note"]').getByLabel('The sentence it is about').fill('Pupils may keep a wombat in the cloakroom');
  await governor.getByRole('button', { name: 'Keep the note' }).click();
  await expect(governor.getByRole('alert')).toContainText('These words do not stand in this version');
  await expect(governor.getByLabel('Your note')).toHaveValue('Compare with last year');
  await governor.locator('form[data-quote="note"]').getByLabel('The sentence it is about').fill('reviews this policy each year');
  await governor.getByRole('button', { name: 'Keep the note' }).click();
  await expect(thread(governor, 'Compare with last year')).toContainText('Only you');

  await governor.getByText('Ask or say something', { exact: true }).click();
  await governor.getByLabel('Your question or comment').fill('Between the two of us?');
  await governor.getByText('Only the people I choose').click();
  await governor.getByRole('button', { name: 'Ask', exact: true }).click();
  await expect(governor.getByRole('alert')).toContainText('Choose at least one person');
  await expect(governor.getByLabel('Your question or comment')).toHaveValue('Between the two of us?');
  await governor.getByRole('checkbox', { name: NAMES.governor2 }).check();
  await governor.getByRole('button', { name: 'Ask', exact: true }).click();
  await expect(thread(governor, 'Between the two of us?')).toContainText(`Only to ${NAMES.governor2}`);
  for (const other of [clerk, admin]) {
    await other.goto(path);
    await expect(title(other)).toHaveText('Behaviour policy');
    await expect(other.getByText('Between the two of us?')).toHaveCount(0);
    await expect(other.getByText('Compare with last year')).toHaveCount(0);
  }
  await thread(governor, 'Compare with last year').getByRole('button', { name: 'Throw it away' }).click();
  await expect(thread(governor, 'Compare with last year')).toHaveCount(0);
});

test('what others ask moves neither the focus nor what is half typed', async ({ school, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, 'about the live page');
  const [clerk, governor] = [await school.as('clerk'), await school.as('governor1')];
  await openFolder(clerk, 'Policies');
  await addDocument(clerk, 'Behaviour policy', pdf('Behaviour policy.pdf', await saying(FIRST)));
  await governor.goto(new URL(clerk.url()).pathname);
  await clerk.getByText('Ask or say something', { exact: true }).click();
  const words = clerk.getByLabel('Your question or comment');
  await words.fill('Half a quest');
  await ask(governor, 'Who wrote this?');
  await expect(thread(clerk, 'Who wrote this?')).toBeVisible({ timeout: 5_000 });
  await expect(words).toHaveValue('Half a quest');
  await expect(words).toBeFocused();
});
