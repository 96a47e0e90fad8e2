import { weekOfLooksPasses } from '../lib/database.ts';
import { measure } from '../lib/measure.ts';
import { addPupil } from '../lib/pupils.ts';
import { expect, NAMES, test, title, type Page } from '../lib/test.ts';

const notice = (page: Page) => page.locator('.notice.good');
const lines = (page: Page) => page.locator('.finding');

test('what was out of the ordinary in a week is gone through and signed once', async ({ school, javaScriptEnabled }) => {
  const admin = await school.as('admin');
  const elliot = await addPupil(admin, { first: 'Elliot', last: 'Pryce' });
  const head = await school.as('head');
  await head.goto(elliot);
  await expect(title(head)).toHaveText('Elliot Pryce');
  await admin.goto('/pupils/looked/weeks');
  await expect(admin.locator('.empty')).toContainText('No list yet');
  weekOfLooksPasses(school.label);

  await admin.goto('/');
  await expect(admin.getByText('Go through who looked at pupils’ records', { exact: true })).toBeVisible();
  await admin.goto('/pupils/looked');
  await expect(admin.locator('.notice.wait')).toContainText('1 list of unusual looks has waited for more than a week.');
  await admin.getByRole('link', { name: 'Go through the oldest one' }).click();
  await expect(title(admin)).toContainText('Unusual looks,');
  await expect(lines(admin)).toHaveCount(2);
  const ofHead = lines(admin).filter({ hasText: NAMES.head });
  await expect(ofHead).toContainText(`${NAMES.head} looked at Elliot Pryce on Saturday`);
  await expect(ofHead).toContainText('Outside school hours');
  await expect(lines(admin).filter({ hasText: NAMES.admin })).toContainText('About you');
  if (javaScriptEnabled) await measure(admin, '/pupils/looked/weeks/…');

  const sign = admin.getByRole('button', { name: 'Sign the list' });
  await sign.click();
  await expect(admin.getByRole('alert')).toContainText('Say what you looked into');
  await admin.getByLabel('What you looked into, of the whole list').fill('A trip on that day.');
  await ofHead.getByRole('checkbox').check();
  await sign.click();
  await expect(admin.getByRole('alert')).toContainText('Say what is to be followed up');
  await expect(ofHead.getByRole('checkbox')).toBeChecked();
  await expect(ofHead).toContainText('Say what is to be followed up.');
  await expect(admin.getByLabel('What you looked into, of the whole list')).toHaveValue('A trip on that day.');
  await ofHead.getByRole('textbox').fill('Ask her on Thursday\nwhy </textarea>.');
  await sign.click();
  await expect(notice(admin)).toHaveText('The list is signed, and stands as it is.');
  await expect(sign).toHaveCount(0);
  await expect(ofHead).toContainText('why </textarea>.');
  await expect(ofHead).toContainText('To follow up');
  await expect(admin.getByRole('region', { name: 'Signed' })).toContainText('A trip on that day.');

  await admin.getByText('Say more about this list').click();
  await admin.getByLabel('What you add').fill(' ');
  await admin.getByRole('button', { name: 'Add it' }).click();
  await expect(admin.getByRole('alert')).toContainText('Say what you looked into');
  await admin.getByLabel('What you add').fill('She was on call.');
  await admin.getByRole('button', { name: 'Add it' }).click();
  await expect(notice(admin)).toHaveText('Added.');
  await expect(admin.getByRole('region', { name: 'Signed' })).toContainText('She was on call.');

  await admin.goto('/pupils/looked/weeks');
  await expect(admin.locator('.notice.wait')).toHaveCount(0);
  await expect(admin.getByRole('row').filter({ hasText: NAMES.admin })).toHaveCount(1);
  if (javaScriptEnabled) await measure(admin, '/pupils/looked/weeks');
  await admin.goto('/');
  await expect(admin.getByText('Go through who looked at pupils’ records', { exact: true })).toHaveCount(0);
});

test('a list is read by who goes through it, and is not there for anybody else', async ({ school }) => {
  const admin = await school.as('admin');
  await addPupil(admin, { first: 'Elliot', last: 'Pryce' });
  weekOfLooksPasses(school.label);
  await admin.goto('/pupils/looked/weeks');
  await admin.locator('tbody a').click();
  await expect(lines(admin)).toHaveCount(1);
  const week = new URL(admin.url()).pathname;
  for (const who of ['head', 'senco', 'teacher1', 'clerk', 'parent1', 'governor1'] as const) {
    const page = await school.as(who);
    for (const path of ['/pupils/looked/weeks', week]) {
      expect((await page.goto(path))?.status(), `${path} for ${who}`).toBe(404);
    }
  }
  for (const none of ['/pupils/looked/weeks/2020-01-06', '/pupils/looked/weeks/monday']) {
    expect((await admin.goto(none))?.status(), none).toBe(404);
  }
});
