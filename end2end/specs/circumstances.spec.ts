import { circumstancesEndSoon } from '../lib/database.ts';
import { measure } from '../lib/measure.ts';
import { addPupil, give, openGroup, putIn, switchOn } from '../lib/pupils.ts';
import { expect, NAMES, test, title, type Page } from '../lib/test.ts';

const notice = (page: Page) => page.locator('.notice');
const kind = (page: Page, name: string) => page.locator('.switch').filter({ has: page.getByText(name, { exact: true }) });
const trail = (page: Page) => page.getByRole('region', { name: 'Who said so' });
const card = (page: Page) => page.getByRole('region', { name: 'Circumstances' });

async function sets(page: Page, name: string, value: string): Promise<void> {
  const row = kind(page, name);
  await row.locator('summary').first().click();
  const field = row.getByLabel(name, { exact: true });
  if (name === 'Home language') await field.fill(value);
  else await field.selectOption({ label: value });
  await row.getByRole('button', { name: /^Save/ }).click();
}

test('what is known of a pupil is set, changed and taken away, and the trail says by whom', async ({ school }) => {
  const admin = await school.as('admin');
  const aisha = await addPupil(admin, { first: 'Aisha', last: 'Khan' });
  await expect(card(admin), 'all is off').toHaveCount(0);
  await switchOn(admin, 'SEN provision');
  await switchOn(admin, 'Home language');
  await admin.goto(aisha);
  await expect(card(admin)).toContainText('Not said');
  await expect(card(admin).getByText('Free school meals')).toHaveCount(0);
  await card(admin).getByRole('link', { name: 'Change them, or see who did' }).click();
  await expect(title(admin)).toHaveText('Circumstances of Aisha Khan');
  await expect(trail(admin)).toContainText('Nothing has been said yet.');

  await sets(admin, 'SEN provision', 'SEN support');
  await expect(notice(admin)).toContainText('Saved.');
  await expect(kind(admin, 'SEN provision')).toContainText('SEN support');
  await expect(kind(admin, 'SEN provision')).toContainText('until 31 August');
  // A text of spaces gets past what the browser asks for.
  await sets(admin, 'Home language', ' ');
  await expect(admin.getByRole('alert')).toContainText('Choose one of the values of this field');
  await admin.getByLabel('Home language', { exact: true }).fill('Polish </option>');
  await kind(admin, 'Home language').getByRole('button', { name: /^Save/ }).click();
  await expect(kind(admin, 'Home language')).toContainText('Polish </option>');

  const senco = await school.as('senco');
  await senco.goto(aisha);
  await expect(card(senco)).toContainText('SEN support');
  await senco.goto(`${aisha}/circumstances`);
  await sets(senco, 'SEN provision', 'EHC plan');
  const changed = trail(senco).getByRole('row', { name: new RegExp(NAMES.senco) });
  await expect(changed).toContainText('SEN support');
  await expect(changed).toContainText('EHC plan');
  await kind(senco, 'SEN provision').getByText('Take away').first().click();
  await kind(senco, 'SEN provision').getByRole('button', { name: /^Take it away/ }).click();
  await expect(notice(senco)).toContainText('It is taken away.');
  await expect(kind(senco, 'SEN provision')).toContainText('Not said');
  await expect(trail(senco).getByRole('row', { name: /Removed/ })).toContainText('EHC plan');

  // That it was looked at is put down.
  await admin.goto(`${aisha}/looked`);
  await expect(admin.getByRole('row', { name: new RegExp(NAMES.senco) }).filter({ hasText: 'Circumstances' }).first()).toBeVisible();

  // Switched off, nothing of it is there any more.
  await admin.goto('/settings/pupils');
  await kind(admin, 'SEN provision').getByText('Switch off').first().click();
  await kind(admin, 'SEN provision').getByRole('button', { name: 'Switch off and delete' }).click();
  await admin.goto(`${aisha}/circumstances`);
  await expect(admin.getByText('SEN provision')).toHaveCount(0);
  await expect(admin.getByText('EHC plan')).toHaveCount(0);
});

test('who teaches a pupil sees nothing of it, and whether they are looked after fewer see', async ({ school }) => {
  const admin = await school.as('admin');
  await switchOn(admin, 'Looked after');
  await switchOn(admin, 'SEN provision');
  const chidi = await addPupil(admin, { first: 'Chidi', last: 'Eze' });
  const group = await openGroup(admin, '4W');
  await putIn(admin, group, 'Chidi Eze');
  await give(admin, NAMES.teacher1, group);
  await admin.goto(`${chidi}/circumstances`);
  await sets(admin, 'Looked after', 'Yes');
  await expect(kind(admin, 'Looked after')).toContainText('Yes');
  await sets(admin, 'SEN provision', 'EHC plan');

  const head = await school.as('head');
  await head.goto(`${chidi}/circumstances`);
  await expect(kind(head, 'SEN provision')).toContainText('EHC plan');
  await expect(head.getByText('Looked after')).toHaveCount(0);
  const teacher = await school.as('teacher1');
  await teacher.goto(chidi);
  await expect(title(teacher)).toHaveText('Chidi Eze');
  await expect(card(teacher)).toHaveCount(0);
  await expect(teacher.getByText('EHC plan')).toHaveCount(0);
  for (const page of [teacher, await school.as('parent1'), await school.as('governor1'), await school.as('clerk')]) {
    for (const path of [`${chidi}/circumstances`, '/pupils/circumstances']) {
      expect((await page.goto(path))?.status(), path).toBe(404);
    }
  }
});

test('what ends soon is listed, without what it says', async ({ school, javaScriptEnabled }) => {
  const admin = await school.as('admin');
  await switchOn(admin, 'SEN provision');
  const aisha = await addPupil(admin, { first: 'Aisha', last: 'Khan' });
  await admin.goto(`${aisha}/circumstances`);
  await sets(admin, 'SEN provision', 'EHC plan');
  await expect(notice(admin)).toContainText('Saved.');
  circumstancesEndSoon(school.label);
  await admin.goto('/pupils');
  await admin.getByRole('link', { name: 'Circumstances that end soon' }).click();
  const row = admin.getByRole('row', { name: /Aisha Khan/ });
  await expect(row).toContainText('SEN provision');
  await expect(admin.getByText('EHC plan')).toHaveCount(0);
  if (javaScriptEnabled) await measure(admin, '/pupils/circumstances');
  await row.getByRole('link', { name: 'Aisha Khan' }).click();
  await expect(title(admin)).toHaveText('Circumstances of Aisha Khan');
  if (javaScriptEnabled) await measure(admin, '/pupils/…/circumstances');
});
