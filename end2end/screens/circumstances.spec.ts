import { circumstancesEndSoon, weekOfLooksPasses } from '../lib/database.ts';
import { addPupil, switchOn } from '../lib/pupils.ts';
import { shoot } from '../lib/pictures.ts';
import { School, test, type Page } from '../lib/test.ts';

test('pictures of circumstances and of the lists of unusual looks', async ({ browser }) => {
  test.slow();
  const school = new School(browser, true, 'school-592', 'School 592');
  const visit = async (page: Page, path: string, name: string) => {
    await page.goto(path);
    await page.locator('.live[data-state=live]').waitFor({ timeout: 3_000 }).catch(() => {});
    await page.waitForLoadState('networkidle');
    await shoot(page, name);
  };
  const admin = await school.as('admin');
  await visit(admin, '/pupils/circumstances', '67-circumstances-none');
  await visit(admin, '/pupils/looked/weeks', '68-weeks-none');
  for (const field of ['SEN provision', 'Home language', 'Looked after', 'Free school meals']) await switchOn(admin, field);
  const aisha = await addPupil(admin, { first: 'Aisha', last: 'Khan' });
  for (const [name, value] of [['SEN provision', 'SEN support'], ['Looked after', 'No'], ['SEN provision', 'EHC plan']] as const) {
    await admin.goto(`${aisha}/circumstances`);
    const row = admin.locator('.switch').filter({ has: admin.getByText(name, { exact: true }) });
    await row.locator('summary').first().click();
    await row.getByLabel(name, { exact: true }).selectOption({ label: value });
    await row.getByRole('button', { name: /^Save/ }).click();
  }
  await visit(admin, aisha, '67-circumstances-card');
  await visit(admin, `${aisha}/circumstances`, '67-circumstances');
  circumstancesEndSoon(school.label);
  await visit(admin, '/pupils/circumstances', '67-circumstances-soon');
  const head = await school.as('head');
  await head.goto(aisha);
  weekOfLooksPasses(school.label);
  await visit(admin, '/', '68-home');
  await visit(admin, '/pupils/looked', '68-looked');
  await visit(admin, '/pupils/looked/weeks', '68-weeks');
  await admin.locator('tbody a').first().click();
  await shoot(admin, '68-week');
  await admin.getByRole('button', { name: 'Sign the list' }).click();
  await shoot(admin, '68-week-refused');
  await admin.getByLabel('What you looked into, of the whole list').fill('The head was on call at the weekend; the office took the roster in.');
  await admin.getByRole('button', { name: 'Sign the list' }).click();
  await shoot(admin, '68-week-signed');
  await school.close();
});
