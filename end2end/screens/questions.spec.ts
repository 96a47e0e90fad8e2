import { join } from 'node:path';
import { saying } from '../lib/papers.ts';
import { FOLDER, shoot } from '../lib/pictures.ts';
import { addDocument, addVersion, openFolder, pdf } from '../lib/shelf.ts';
import { School, test } from '../lib/test.ts';

const MOVES = 'A suspension of more than five school days is reported to the governing board without delay.';
const LETTER = 'Parents are told in writing on the same day.';
const PAGES = [['5. Suspension and exclusion', 'The head teacher may suspend a pupil for one or more fixed periods, up to a maximum of forty-five school days in a single academic year.', MOVES, LETTER]];

test('pictures of questions and changes', async ({ browser }) => {
  const school = new School(browser, true, 'oakfield', 'Oakfield Primary School');
  const [clerk, governor] = [await school.as('clerk'), await school.as('governor1')];
  await openFolder(clerk, 'Behaviour');
  await addDocument(clerk, 'Behaviour policy', pdf('Behaviour policy.pdf', await saying(PAGES)));
  const path = new URL(clerk.url()).pathname;
  await governor.goto(path);
  await governor.frameLocator('paper-reader iframe').getByText(/A suspension/).first().waitFor({ timeout: 30_000 });
  for (const [words, sentence] of [['Does this include managed moves?', MOVES], ['By letter or by e-mail?', LETTER], ['Who wrote this?', '']] as const) {
    await governor.getByText('Ask or say something', { exact: true }).click();
    await governor.getByLabel('Your question or comment').fill(words);
    await governor.locator('form[data-quote="ask"]').getByLabel('The sentence it is about').fill(sentence);
    await governor.getByRole('button', { name: 'Ask', exact: true }).click();
    await governor.locator('.notice.good').waitFor();
  }
  await clerk.goto(path);
  const asked = clerk.getByRole('listitem').filter({ hasText: 'managed moves' });
  await asked.getByText('Reply', { exact: true }).click();
  await asked.getByLabel('Your reply').fill('No; the next version will say so.');
  await asked.getByLabel('This answers it').check();
  await asked.getByRole('button', { name: 'Send the reply' }).click();
  await clerk.locator('.notice.good').waitFor();
  const changed = PAGES.map((page) => page.filter((line) => line !== LETTER).map((line) => line.replace('more than five school days', 'more than ten school days')));
  await addVersion(clerk, 'Ten days', pdf('Behaviour policy 2.pdf', await saying(changed)));
  await clerk.locator('.versions').waitFor();
  await governor.goto(path);
  await governor.frameLocator('paper-reader iframe').getByText(/A suspension/).first().waitFor({ timeout: 30_000 });
  await shoot(governor, '46-questions');
  for (const [width, height] of [[390, 844], [820, 1180], [1440, 900]] as const) {
    await governor.setViewportSize({ width, height });
    await governor.emulateMedia({ colorScheme: 'light' });
    await governor.waitForTimeout(1_500);
    await governor.screenshot({ path: join(FOLDER, `46-reader-${width}.png`) });
  }
  await governor.getByText('Ask or say something', { exact: true }).click();
  await shoot(governor, '47-asking');
  await governor.goto(`${path}/changes`);
  await shoot(governor, '48-changes');
  await school.close();
});
