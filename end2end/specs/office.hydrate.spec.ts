import { readFileSync } from 'node:fs';
import { measure } from '../lib/measure.ts';
import { sample } from '../lib/samples.ts';
import { addDocument, openFolder } from '../lib/shelf.ts';
import { expect, ready, test, type Page } from '../lib/test.ts';

// A manual that others wrote in OpenOffice, of some hundred pages.
const SENTENCE = 'The main focus has been to prevent the programmer from creating invalid documents.';

const card = (page: Page) => page.getByRole('region', { name: /questions? (or|and) comments?/ });
const document = (page: Page) => page.frameLocator('paper-reader iframe');

test('a text of LibreOffice is read in the browser as a copy, and a sentence of it is asked about', async ({ school }) => {
  test.setTimeout(180_000);
  const path = sample('odfpy', 'api-for-odfpy.odt');
  test.skip(!path && !process.env.CI, 'the samples are not here');
  const [clerk, dilip] = [await school.as('clerk', { javaScriptEnabled: false }), await school.as('governor1', { viewport: { width: 820, height: 1180 } })];
  await openFolder(clerk, 'Manuals');
  await addDocument(clerk, 'Manual', { name: 'manual.odt', mimeType: 'application/vnd.oasis.opendocument.text', buffer: readFileSync(path!) });
  const address = new URL(clerk.url()).pathname;

  // It comes by itself into a page that is open.
  await dilip.goto(address);
  await expect(document(dilip).getByRole('main').getByText(/ODFPY 0\.9\.1/).first()).toBeVisible({ timeout: 60_000 });
  await expect(dilip.getByText('This is a copy for reading')).toBeVisible();
  await measure(dilip, 'a copy of an office file');

  // To whoever has no script, both: the copy to read, and the file that is decided about.
  await clerk.goto(address);
  const [copy] = await Promise.all([clerk.waitForEvent('download'), clerk.getByRole('link', { name: 'Open the copy' }).click()]);
  expect(copy.suggestedFilename()).toBe('manual.odt.pdf');
  expect(readFileSync(await copy.path()).subarray(0, 5).toString()).toBe('%PDF-');
  const [file] = await Promise.all([clerk.waitForEvent('download'), clerk.getByRole('link', { name: 'Download' }).first().click()]);
  expect(readFileSync(await file.path()).equals(readFileSync(path!))).toBe(true);

  await card(dilip).getByText('Ask or say something').click();
  await dilip.locator('form[data-quote="ask"]').getByLabel('The sentence it is about').fill(SENTENCE);
  await dilip.getByLabel('Your question or comment').fill('By whom?');
  await dilip.getByRole('button', { name: 'Ask', exact: true }).click();
  await expect(dilip.locator('.notice.good')).toContainText('It is asked');
  const asked = card(dilip).getByRole('listitem').filter({ hasText: 'By whom?' });
  await expect(asked.locator('blockquote')).toContainText(SENTENCE);
  await ready(dilip);
  await expect(document(dilip).getByRole('main').getByText(/ODFPY 0\.9\.1/).first()).toBeVisible({ timeout: 20_000 });
  await asked.locator('blockquote a').click();
  await expect(document(dilip).getByRole('main').getByText(SENTENCE.slice(0, 20)).first()).toBeInViewport({ timeout: 20_000 });
});
