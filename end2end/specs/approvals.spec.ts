import { createHash } from 'node:crypto';
import { measure } from '../lib/measure.ts';
import { policy } from '../lib/papers.ts';
import { expect, NAMES, test, title, type Page } from '../lib/test.ts';

const notice = (page: Page) => page.locator('.notice.good');
const approval = (page: Page) => page.locator('section[aria-labelledby="approval"]');

interface Chosen {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

const pdf = (name: string, bytes: Uint8Array): Chosen => ({ name, mimeType: 'application/pdf', buffer: Buffer.from(bytes) });

/** A policy in a folder that governors read, and so the chair; ends on its page and gives its address. */
async function filed(clerk: Page, bytes: Uint8Array): Promise<string> {
  await clerk.goto('/library/add');
  await clerk.getByLabel('Name', { exact: true }).fill('Policies');
  await clerk.getByRole('checkbox', { name: 'Governor', exact: true }).check();
  await clerk.getByRole('button', { name: 'Make the folder' }).click();
  await clerk.getByRole('link', { name: 'Add documents' }).first().click();
  await clerk.getByLabel('Title').fill('Behaviour policy');
  await clerk.getByLabel('Files').setInputFiles(pdf('Behaviour policy.pdf', bytes));
  await clerk.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(title(clerk)).toHaveText('Behaviour policy', { timeout: 30_000 });
  return new URL(clerk.url()).pathname;
}

async function ask(clerk: Page, names: string[]): Promise<void> {
  await approval(clerk).getByRole('link', { name: 'Ask for approval' }).click();
  await expect(title(clerk)).toHaveText('Ask for approval of Behaviour policy');
  for (const name of names) await clerk.getByRole('checkbox', { name }).check();
  await clerk.getByRole('button', { name: 'Ask them' }).click();
}

async function certificateOf(page: Page, link: ReturnType<Page['getByRole']>): Promise<Chosen> {
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  const parts: Buffer[] = [];
  for await (const part of await download.createReadStream()) parts.push(part as Buffer);
  return pdf(download.suggestedFilename(), Buffer.concat(parts));
}

const ASK = 'Ask the school’s server whether a newer version exists';
const verdict = (page: Page) => page.locator('output[for]');
const newest = (page: Page) => page.locator('[data-server] output');

/** On the check page, two files that belong together. */
async function choose(page: Page, certificate: Chosen, file: Chosen): Promise<void> {
  await page.getByLabel('Certificate').setInputFiles(certificate);
  await page.getByLabel('The file').setInputFiles(file);
  await expect(verdict(page)).toHaveAttribute('data-verdict', 'together');
}

test('three are asked, two agree, one objects; a newer version makes it stale, and the certificate is about the old bytes', async ({ school, javaScriptEnabled }) => {
  test.setTimeout(180_000);
  const [clerk, chair, dilip, sian] = [await school.as('clerk'), await school.as('chair'), await school.as('governor1'), await school.as('governor2')];
  const [first, second] = [await policy(4), await policy(5)];
  const address = await filed(clerk, first);

  await approval(clerk).getByRole('link', { name: 'Ask for approval' }).click();
  await clerk.getByRole('button', { name: 'Ask them' }).click();
  await expect(clerk.getByRole('alert')).toContainText('Choose whom to ask: people who read this folder.');
  await clerk.getByLabel('Why you ask').fill('The law on suspensions has changed.');
  await clerk.getByRole('radio', { name: /At least so many/ }).check();
  await clerk.getByRole('textbox', { name: 'How many' }).fill('4');
  for (const name of [NAMES.chair, NAMES.governor1, NAMES.governor2]) await clerk.getByRole('checkbox', { name }).check();
  await clerk.getByRole('button', { name: 'Ask them' }).click();
  await expect(clerk.getByRole('alert')).toContainText('no more than are asked');
  await expect(clerk.getByLabel('Why you ask')).toHaveValue('The law on suspensions has changed.');
  await clerk.getByRole('textbox', { name: 'How many' }).fill('2');
  await clerk.getByRole('button', { name: 'Ask them' }).click();
  await expect(notice(clerk)).toContainText('3 people are asked, and told.');
  await expect(approval(clerk)).toContainText('0 agreed, 3 to come');
  await expect(approval(clerk)).toContainText('Adopted when 2 of 3 agree.');

  // What must be done stands on home and in the queue; somebody who is not asked has no button.
  await dilip.goto('/');
  await expect(dilip.getByRole('link', { name: /Answer about Behaviour policy/ })).toBeVisible();
  await dilip.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Approvals' }).click();
  await expect(dilip.getByText('1 paper waits for your answer.')).toBeVisible();
  await dilip.getByRole('link', { name: /Read and answer.*Behaviour policy/ }).click();
  await expect(title(dilip)).toHaveText('Behaviour policy');
  await dilip.getByRole('button', { name: 'I object' }).click();
  await expect(dilip.getByRole('alert')).toContainText('Say why you object');
  await dilip.getByLabel(/^Reason, if you object/).fill('Page 2 says ten days.');
  await dilip.getByRole('button', { name: 'I object' }).click();
  await expect(notice(dilip)).toContainText('Your answer is recorded.');
  await expect(approval(dilip)).toContainText('You objected.');
  const other = await school.as('governor3');
  await other.goto(address);
  await expect(approval(other)).toContainText('0 agreed, 1 objected, 2 to come');
  await expect(other.getByRole('button', { name: /I agree/ })).toHaveCount(0);

  await sian.goto(address);
  await sian.getByRole('button', { name: 'I agree to version 1' }).click();
  await expect(approval(sian)).toContainText('You agreed.');
  await sian.getByRole('button', { name: 'Take it back' }).click();
  await expect(notice(sian)).toContainText('Your answer is taken back.');
  await sian.getByRole('button', { name: 'I agree to version 1' }).click();
  await expect(approval(sian)).toContainText('1 agreed, 1 objected, 1 to come');
  if (!javaScriptEnabled) await clerk.reload();
  await expect(approval(clerk)).toContainText('1 agreed, 1 objected, 1 to come', { timeout: 5_000 });

  await chair.goto(address);
  await chair.getByRole('button', { name: 'I agree to version 1' }).click();
  await expect(approval(chair)).toContainText('Adopted');
  await expect(chair.getByRole('button', { name: /I agree/ })).toHaveCount(0);
  if (!javaScriptEnabled) await clerk.reload();
  await expect(approval(clerk)).toContainText('Adopted', { timeout: 5_000 });
  await approval(clerk).getByText('Who was asked, and what they said').click();
  await expect(approval(clerk)).toContainText('Page 2 says ten days.');

  const certificate = await certificateOf(clerk, approval(clerk).getByRole('link', { name: 'Certificate' }));
  expect(certificate.buffer.subarray(0, 5).toString()).toBe('%PDF-');
  const stranger = await school.stranger();
  await stranger.goto('/check');
  await expect(title(stranger)).toHaveText('Check a certificate');
  await expect(stranger.getByRole('heading', { name: 'What this page cannot know' })).toBeVisible();
  await expect(stranger.getByRole('button', { name: ASK })).toBeHidden();
  if (javaScriptEnabled) {
    await choose(stranger, certificate, pdf('old.pdf', first));
    await stranger.getByRole('button', { name: ASK }).click();
    await expect(newest(stranger)).toHaveText('This is still the newest version. The server has it as adopted.');
  }

  await clerk.getByRole('link', { name: 'Add a version' }).click();
  await clerk.getByLabel('What is new in it').fill('Ten days');
  await clerk.getByLabel('File', { exact: true }).setInputFiles(pdf('Behaviour policy.pdf', second));
  await clerk.getByRole('button', { name: 'Add the version' }).click();
  await expect(notice(clerk)).toContainText('It is filed', { timeout: 30_000 });
  const old = clerk.locator('.notice[data-stale]');
  await expect(old).toContainText('Version 1 was approved by 2 people. Those answers do not count for version 2.');
  if (!javaScriptEnabled) await chair.reload();
  await expect(chair.locator('.notice[data-stale]')).toContainText('do not count for version 2', { timeout: 5_000 });
  await chair.goto('/approvals');
  await expect(chair.getByText('Adopted; version 2 is newer')).toBeVisible();
  await clerk.goto('/library');
  await clerk.getByRole('link', { name: /Policies/ }).first().click();
  await expect(clerk.getByRole('row', { name: /Behaviour policy/ })).toContainText('Adopted; version 2 is newer');
  const newer = 'Adopted; version 2 is newer';
  for (const [list, said] of [['/library', newer], ['/library/policies', newer], ['/library/search?q=behaviour', 'Adopted; there is a newer version']] as const) {
    await clerk.goto(list);
    const listed = clerk.getByRole('main').locator('tr, li').filter({ has: clerk.locator(`a[href^="${address}"]`) });
    await expect(listed, list).toContainText(said);
  }
  // The certificate is as old as it was, and its page says so to anybody who asks.
  if (javaScriptEnabled) {
    await stranger.reload();
    await choose(stranger, certificate, pdf('old.pdf', first));
    await expect(newest(stranger)).toBeEmpty();
    await stranger.getByRole('button', { name: ASK }).click();
    await expect(newest(stranger)).toHaveAttribute('data-newest', 'older');
    await expect(newest(stranger)).toContainText('A newer version has been filed since: this approval is of an older one.');
    await measure(stranger, 'a certificate of an older version');
    await stranger.getByLabel('The file').setInputFiles(pdf('new.pdf', second));
    await expect(stranger.locator('output[data-verdict]')).toHaveAttribute('data-verdict', 'different');
    await expect(stranger.getByRole('button', { name: ASK })).toBeHidden();
  }

  await clerk.goto(address);
  await clerk.getByRole('link', { name: 'Ask the same people again' }).click();
  for (const name of [NAMES.chair, NAMES.governor1, NAMES.governor2]) await expect(clerk.getByRole('checkbox', { name })).toBeChecked();
  await expect(clerk.getByRole('checkbox', { name: NAMES.governor3 })).not.toBeChecked();
  await expect(clerk.getByRole('textbox', { name: 'How many' })).toHaveValue('2');
  await expect(clerk.getByLabel('Why you ask')).toHaveValue('The law on suspensions has changed.');
  await clerk.getByRole('button', { name: 'Ask them' }).click();
  await expect(approval(clerk)).toContainText('0 agreed, 3 to come');
  // Who answered about version 1 sees first what is different.
  await chair.goto('/approvals');
  await chair.getByRole('link', { name: /See what changed.*Behaviour policy/ }).click();
  await expect(title(chair)).toHaveText('What changed in Behaviour policy');
  await expect(chair.getByText(/^From version 1 to version 2\./)).toBeVisible();
  if (!javaScriptEnabled) return;
  await measure(clerk, 'a paper that is being approved');
  await clerk.goto(`${address}/ask`);
  await measure(clerk, 'asking');
  for (const [page, place] of [[clerk, '/approvals'], [chair, '/approvals'], [dilip, '/me/reading'], [stranger, '/check']] as const) {
    await page.goto(place);
    await measure(page, place);
  }
  await dilip.goto('/approvals');
  await dilip.getByRole('link', { name: /version 1/ }).first().click();
  await expect(title(dilip)).toContainText('Behaviour policy');
  await measure(dilip, 'an approval');
});

test('the check page tells in the browser whether a certificate and a file belong together', async ({ school, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, 'the comparison is a script');
  const [clerk, chair] = [await school.as('clerk'), await school.as('chair')];
  const bytes = await policy(2);
  const address = await filed(clerk, bytes);
  await ask(clerk, [NAMES.chair]);
  await expect(notice(clerk)).toContainText('One person is asked');
  await chair.goto(address);
  await chair.getByRole('button', { name: 'I agree to version 1' }).click();
  await expect(approval(chair)).toContainText('Adopted');
  const certificate = await certificateOf(chair, approval(chair).getByRole('link', { name: 'Certificate' }));
  const sent: string[] = [];
  const stranger = await school.stranger();
  await stranger.goto('/check');
  await stranger.waitForLoadState('networkidle');
  stranger.on('request', (request) => sent.push(`${request.method()} ${new URL(request.url()).pathname}`));
  const said = verdict(stranger);
  await choose(stranger, certificate, pdf('a.pdf', bytes));
  expect(sent, 'nothing is sent without being asked').toEqual([]);
  const [approvalId, sha256] = await Promise.all(['approval', 'sha256'].map((name) => stranger.locator(`[data-sent="${name}"]`).textContent()));
  expect(sha256!.replaceAll(' ', '')).toBe(createHash('sha256').update(bytes).digest('hex'));
  await stranger.getByRole('button', { name: ASK }).click();
  await expect(newest(stranger)).toHaveAttribute('data-newest', 'newest');
  const asked = [`GET /known/${approvalId}/${sha256!.replaceAll(' ', '')}`];
  expect(sent, 'the two values and nothing else').toEqual(asked);
  // A certificate that is as it was signed, of an approval that is not there: as at another installation.
  await stranger.route('**/known/**', (route) => route.fulfill({ status: 404, body: 'There is nothing here.' }));
  await stranger.getByRole('button', { name: ASK }).click();
  await expect(newest(stranger)).toContainText('The server does not know this approval');
  await stranger.unroute('**/known/**');
  sent.length = 0;
  await stranger.getByLabel('The file').setInputFiles(pdf('b.pdf', await policy(3)));
  await expect(said).toHaveAttribute('data-verdict', 'different');
  const altered = Buffer.from(certificate.buffer);
  altered[200] = altered[200]! ^ 1;
  await stranger.getByLabel('Certificate').setInputFiles({ ...certificate, buffer: altered });
  await stranger.getByLabel('The file').setInputFiles(pdf('a.pdf', bytes));
  await expect(said).toHaveAttribute('data-verdict', 'altered');
  expect(sent, 'neither file was sent').toEqual([]);
});

test('a certificate and a file that are dropped find their fields, and what is dropped beside them goes nowhere', async ({ school, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, 'the comparison is a script');
  const [clerk, chair] = [await school.as('clerk'), await school.as('chair')];
  const bytes = await policy(2);
  const address = await filed(clerk, bytes);
  await ask(clerk, [NAMES.chair]);
  await expect(notice(clerk)).toContainText('One person is asked');
  await chair.goto(address);
  await chair.getByRole('button', { name: 'I agree to version 1' }).click();
  await expect(approval(chair)).toContainText('Adopted');
  const certificate = await certificateOf(chair, approval(chair).getByRole('link', { name: 'Certificate' }));
  // Known by what is in it, whatever it is called.
  const [paper, named] = [pdf('policy.pdf', bytes), { ...certificate, name: 'scan.pdf' }];
  const stranger = await school.stranger();
  const drop = async (where: string, files: Chosen[]) => {
    const plain = files.map(({ name, mimeType, buffer }) => ({ name, mimeType, base64: buffer.toString('base64') }));
    const dataTransfer = await stranger.evaluateHandle((files) => {
      const transfer = new DataTransfer();
      for (const { name, mimeType, base64 } of files) transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name, { type: mimeType }));
      return transfer;
    }, plain);
    for (const kind of ['dragover', 'drop']) await stranger.dispatchEvent(where, kind, { dataTransfer });
  };
  const chosen = (label: string) => stranger.getByLabel(label).evaluate((input: HTMLInputElement) => [...(input.files ?? [])].map((file) => file.name));
  const open = async () => {
    await stranger.goto('/check');
    await stranger.waitForLoadState('networkidle');
  };
  const form = 'form[data-check]';
  for (const both of [[named, paper], [paper, named]]) {
    await open();
    await drop(form, both);
    await expect(verdict(stranger)).toHaveAttribute('data-verdict', 'together');
    expect([await chosen('Certificate'), await chosen('The file')]).toEqual([['scan.pdf'], ['policy.pdf']]);
  }
  for (const order of [[paper, named], [named, paper]]) {
    await open();
    for (const one of order) await drop(form, [one]);
    await expect(verdict(stranger)).toHaveAttribute('data-verdict', 'together');
    expect([await chosen('Certificate'), await chosen('The file')]).toEqual([['scan.pdf'], ['policy.pdf']]);
  }
  await drop(form, [paper, named, paper]);
  await expect(verdict(stranger)).toContainText('Those were more than two files.');
  // Beside the form: it is the page that says no, since the browser would go and show the file.
  await open();
  const refused = await stranger.evaluate(() =>
    ['dragover', 'drop'].map((kind) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(['x'], 'x.pdf'));
      const event = new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true });
      document.querySelector('h1')!.dispatchEvent(event);
      return event.defaultPrevented;
    }),
  );
  expect(refused).toEqual([true, true]);
  expect([await chosen('Certificate'), await chosen('The file')]).toEqual([[], []]);
});

test('the same people are asked again as they were asked, whoever has the role by now', async ({ school }) => {
  const clerk = await school.as('clerk');
  await filed(clerk, await policy(1));
  await approval(clerk).getByRole('link', { name: 'Ask for approval' }).click();
  await clerk.getByLabel('Of whom').selectOption('role:governor');
  await clerk.getByRole('radio', { name: /^All of them/ }).check();
  await clerk.getByLabel('Why you ask').fill('It is due.');
  await clerk.getByRole('checkbox', { name: /^It is routine/ }).check();
  await clerk.getByLabel('Who stands in').selectOption({ label: NAMES.admin });
  const soon = (days: number) => new Date(Date.now() + days * 86_400_000).toLocaleDateString('en-CA', { timeZone: 'Europe/London' });
  await clerk.getByLabel('From which day').fill(soon(5));
  await clerk.getByRole('button', { name: 'Ask them' }).click();
  const asked = await notice(clerk).textContent();
  const count = Number(/(\d+) people are asked/.exec(asked!)![1]);
  expect(count).toBeGreaterThan(1);
  await clerk.getByRole('link', { name: 'Add a version' }).click();
  await clerk.getByLabel('What is new in it').fill('Another page');
  await clerk.getByLabel('File', { exact: true }).setInputFiles(pdf('Behaviour policy.pdf', await policy(2)));
  await clerk.getByRole('button', { name: 'Add the version' }).click();
  await expect(notice(clerk)).toContainText('It is filed', { timeout: 30_000 });

  await clerk.getByRole('link', { name: 'Ask the same people again' }).click();
  await expect(clerk.getByLabel('Of whom')).toHaveValue('people');
  await expect(clerk.getByText(`Last time it was asked of everybody with the role Governor (${count}). They are ticked.`)).toBeVisible();
  await expect(clerk.locator('input[name^=people]:checked')).toHaveCount(count);
  await expect(clerk.getByRole('radio', { name: /^All of them/ })).toBeChecked();
  await expect(clerk.getByRole('checkbox', { name: /^It is routine/ })).toBeChecked();
  await expect(clerk.getByLabel('Why you ask')).toHaveValue('It is due.');
  await expect(clerk.getByLabel('Who stands in').locator('option:checked')).toHaveText(NAMES.admin);
  await expect(clerk.getByLabel('From which day')).toHaveValue(soon(5));
  await clerk.getByRole('button', { name: 'Ask them' }).click();
  await expect(notice(clerk)).toContainText(`${count} people are asked`);
});

test('routine papers that were opened are agreed to together', async ({ school }) => {
  const [clerk, chair] = [await school.as('clerk'), await school.as('chair')];
  const address = await filed(clerk, await policy(1));
  await approval(clerk).getByRole('link', { name: 'Ask for approval' }).click();
  await clerk.getByRole('checkbox', { name: NAMES.chair }).check();
  await clerk.getByRole('checkbox', { name: /^It is routine/ }).check();
  await clerk.getByRole('button', { name: 'Ask them' }).click();
  await expect(notice(clerk)).toContainText('One person is asked');
  await chair.goto('/approvals');
  await expect(chair.getByRole('checkbox')).toHaveCount(0);
  await expect(chair.getByText('you have not opened it')).toBeVisible();
  await chair.goto(address);
  await Promise.all([chair.waitForEvent('download'), chair.getByRole('link', { name: 'Download' }).first().click()]);
  await chair.goto('/approvals');
  await chair.getByRole('button', { name: 'I agree to those I ticked' }).click();
  await expect(chair.getByRole('alert')).toContainText('Tick the papers you agree to first.');
  await chair.getByRole('checkbox', { name: 'Agree to Behaviour policy, version 1' }).check();
  await chair.getByRole('button', { name: 'I agree to those I ticked' }).click();
  await expect(notice(chair)).toContainText('You agreed to 1 paper.');
  await expect(chair.getByText('Adopted')).toBeVisible();
});
