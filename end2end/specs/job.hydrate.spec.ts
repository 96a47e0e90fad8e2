import { readFileSync } from 'node:fs';
import { PDFDocument, StandardFonts } from 'pdf-lib';
import { policy } from '../lib/papers.ts';
import { sample } from '../lib/samples.ts';
import { addVersion, openFolder, pdf } from '../lib/shelf.ts';
import { expect, NAMES, ready, test, title, type Page } from '../lib/test.ts';

// Made by others, and so as crooked as what schools have: 19 pages with drawings, of a package's samples.
const SENTENCE = 'Data homogeneity will thereby be ensured by a minimum set of data.';

/** It and as many pages of ours as make 40; corrected, with a cover before it. */
async function paperOf40(path: string, cover?: string): Promise<Uint8Array> {
  const paper = await PDFDocument.load(readFileSync(path));
  const rest = await PDFDocument.load(await policy(40 - paper.getPageCount()));
  for (const page of await paper.copyPages(rest, rest.getPageIndices())) paper.addPage(page);
  if (cover) paper.insertPage(0, [595, 842]).drawText(cover, { x: 72, y: 700, size: 14, font: await paper.embedFont(StandardFonts.TimesRoman) });
  return paper.save();
}

const approval = (page: Page) => page.locator('section[aria-labelledby="approval"]');
const card = (page: Page) => page.getByRole('region', { name: /questions? (or|and) comments?/ });
const thread = (page: Page, text: string) => card(page).getByRole('listitem').filter({ hasText: text });
const document = (page: Page) => page.frameLocator('paper-reader iframe');

test('40 pages are filed, read on a tablet, asked about and approved, and corrected: by a clerk and a chair without a script, and a governor with one', async ({ school }) => {
  test.setTimeout(180_000);
  const path = sample('pypdf', 'resources/GeoBase_NHNC1_Data_Model_UML_EN.pdf');
  test.skip(!path && !process.env.CI, 'the samples are not here');
  const bare = { javaScriptEnabled: false };
  const tablet = { viewport: { width: 820, height: 1180 }, hasTouch: true };
  const [clerk, chair] = [await school.as('clerk', bare), await school.as('chair', bare)];
  const [dilip, sian] = [await school.as('governor1', tablet), await school.as('governor2', tablet)];

  await openFolder(clerk, 'Policies');
  await clerk.getByRole('link', { name: 'Add documents' }).first().click();
  await clerk.getByLabel('Files').setInputFiles(pdf('data-model.pdf', await paperOf40(path!)));
  await clerk.getByLabel('Title').fill('Data policy');
  await clerk.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(title(clerk)).toHaveText('Data policy', { timeout: 30_000 });
  await expect(clerk.getByText('Version 1, PDF, 40 pages')).toBeVisible();
  const address = new URL(clerk.url()).pathname;

  // Found from home, by hand; each sees the other, and nobody sees the two who cannot be asked.
  await dilip.goto('/');
  await dilip.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Papers' }).click();
  await dilip.getByRole('link', { name: /Policies/ }).click();
  await dilip.getByRole('row', { name: /Data policy/ }).getByRole('link').click();
  await expect(document(dilip).getByText(/National Hydro Network/).first()).toBeVisible({ timeout: 20_000 });
  await sian.goto(`${address}#page=6`);
  await expect(document(sian).getByText(/Data homogeneity/).first()).toBeVisible({ timeout: 20_000 });
  const others = dilip.getByRole('list', { name: 'Others who are reading this' });
  await expect(others.getByText(NAMES.governor2)).toHaveText(`${NAMES.governor2}, page 6`, { timeout: 5_000 });
  await expect(others.getByRole('listitem')).toHaveCount(1);

  // A question on a sentence, chosen in the document.
  const line = document(sian).getByText(/Data homogeneity will thereby/).first();
  await line.scrollIntoViewIfNeeded();
  await line.evaluate((element) => {
    const range = element.ownerDocument.createRange();
    range.selectNodeContents(element);
    element.ownerDocument.getSelection()!.removeAllRanges();
    element.ownerDocument.getSelection()!.addRange(range);
  });
  await document(sian).locator('[data-ask="ask"]').click();
  await expect(sian.locator('form[data-quote="ask"]').getByLabel('The sentence it is about')).toHaveValue(/Data homogeneity will/);
  await sian.getByLabel('Your question or comment').fill('Who ensures it?');
  await sian.getByRole('button', { name: 'Ask', exact: true }).click();
  await expect(sian.locator('.notice.good')).toContainText('It is asked');
  await expect(thread(dilip, 'Who ensures it?')).toBeVisible({ timeout: 5_000 });

  await clerk.goto('/');
  await clerk.goto(address);
  const asked = thread(clerk, 'Who ensures it?');
  await expect(asked).toContainText('on page 6');
  await asked.getByText('Reply', { exact: true }).click();
  await asked.getByLabel('Your reply').fill('The head teacher does.');
  await asked.getByLabel('This answers it').check();
  await asked.getByRole('button', { name: 'Send the reply' }).click();
  await expect(thread(sian, 'Who ensures it?')).toContainText('The head teacher does.', { timeout: 5_000 });

  await approval(clerk).getByRole('link', { name: 'Ask for approval' }).click();
  for (const name of [NAMES.chair, NAMES.governor1]) await clerk.getByRole('checkbox', { name }).check();
  await clerk.getByRole('button', { name: 'Ask them' }).click();
  await expect(clerk.locator('.notice.good')).toContainText('2 people are asked, and told.');
  await expect(approval(dilip).getByRole('button', { name: 'I agree to version 1' })).toBeVisible({ timeout: 5_000 });

  await chair.goto('/approvals');
  await chair.getByRole('link', { name: /Read and answer.*Data policy/ }).click();
  await Promise.all([chair.waitForEvent('download'), chair.getByRole('link', { name: 'Download' }).first().click()]);
  await chair.getByRole('button', { name: 'I agree to version 1' }).click();
  await expect(approval(chair)).toContainText('1 agreed, 1 to come');
  await approval(dilip).getByRole('button', { name: 'I agree to version 1' }).click();
  await expect(approval(dilip)).toContainText('Adopted');

  // What was agreed to is another than what lies there now, and that is said to everybody.
  await clerk.goto(address);
  await expect(approval(clerk)).toContainText('Adopted');
  await addVersion(clerk, 'With a cover', pdf('data-model-2.pdf', await paperOf40(path!, 'This cover is new.')));
  await expect(clerk.locator('.notice.good')).toContainText('It is filed', { timeout: 30_000 });
  const stale = 'Version 1 was approved by 2 people. Those answers do not count for version 2.';
  await expect(dilip.locator('.notice[data-stale]')).toContainText(stale, { timeout: 5_000 });
  await chair.goto(address);
  await expect(chair.locator('.notice[data-stale]')).toContainText(stale);
  await expect(thread(chair, 'Who ensures it?')).toContainText('asked on version 1, still on its sentence, on page 7');
  await expect(thread(chair, 'Who ensures it?').locator('blockquote')).toContainText(SENTENCE.slice(0, 30));
  await expect(chair.getByText('Page 1 changed.')).toBeVisible();
  await chair.getByRole('link', { name: 'See what changed' }).click();
  await expect(chair.locator('ins')).toContainText(['This cover is new.']);
  await expect(chair.locator('del')).toHaveCount(0);

  await clerk.getByRole('link', { name: 'Ask the same people again' }).click();
  await clerk.getByRole('button', { name: 'Ask them' }).click();
  await expect(approval(clerk)).toContainText('0 agreed, 2 to come');
  await dilip.goto(address);
  await ready(dilip);
  await expect(dilip.getByText('Page 1 changed.')).toBeVisible();
  await approval(dilip).getByRole('button', { name: 'I agree to version 2' }).click();
  await chair.goto(address);
  await chair.getByRole('button', { name: 'I agree to version 2' }).click();
  await expect(approval(chair)).toContainText('Adopted');
  await expect(chair.locator('.notice[data-stale]')).toHaveCount(0);
});
