import { measure } from '../lib/measure.ts';
import { addPupil, give, openGroup, putIn } from '../lib/pupils.ts';
import { expect, NAMES, test, title, type Page } from '../lib/test.ts';

const notice = (page: Page) => page.locator('.notice');
const day = (later: number) => new Date(Date.now() + later * 86_400_000).toISOString().slice(0, 10);

test('the office puts a pupil on the roll, into a class and on a caseload, and the teacher sees them', async ({ school }) => {
  const admin = await school.as('admin');
  await admin.goto('/pupils/add');
  await admin.getByLabel('First name').fill('Dominika');
  await admin.getByLabel('Surname').fill('Wiśniewska </option>');
  await admin.getByLabel('Date of birth').fill('2017-05-09');
  await admin.getByLabel('Year group').selectOption({ label: 'Year 4' });
  await admin.getByLabel('Unique pupil number (UPN)').fill('A801200005001');
  await admin.getByRole('button', { name: 'Add the pupil' }).click();
  await expect(admin.getByRole('alert')).toContainText('The check letter is A where these digits need B');
  await expect(admin.locator('.meant')).toContainText('B801200005001');
  await expect(admin.getByLabel('Surname')).toHaveValue('Wiśniewska </option>');
  await expect(admin.getByLabel('Year group')).toHaveValue('4');
  await admin.getByLabel('Surname').fill('Wiśniewska');
  await admin.getByLabel('Unique pupil number (UPN)').fill('B801200005001');
  await admin.getByRole('button', { name: 'Add the pupil' }).click();
  await expect(title(admin)).toHaveText('Dominika Wiśniewska');
  await expect(admin.locator('.looked')).toContainText('by your role here. That you looked is put down.');
  const dominika = new URL(admin.url()).pathname;
  const chidi = await addPupil(admin, { first: 'Chidi', last: 'Eze' });
  const outsider = await addPupil(admin, { first: 'Elliot', last: 'Pryce', year: 'Year 5' });

  const [own, other] = [await openGroup(admin, '4W'), await openGroup(admin, '5B')];
  await putIn(admin, own, 'Dominika Wiśniewska', 'Chidi Eze');
  await putIn(admin, other, 'Elliot Pryce');
  await give(admin, NAMES.teacher1, own);
  await expect(admin.getByRole('row', { name: new RegExp(NAMES.teacher1) })).toContainText('4W');

  const teacher = await school.as('teacher1');
  await teacher.goto('/pupils');
  await expect(title(teacher)).toHaveText('My pupils');
  await expect(teacher.locator('tbody tr')).toHaveCount(2);
  await expect(teacher.getByText('Elliot')).toHaveCount(0);
  await teacher.getByLabel('Find by name').fill('wiśn');
  await teacher.getByRole('button', { name: 'Show' }).click();
  await expect(teacher.locator('tbody tr')).toHaveCount(1);
  await teacher.getByRole('link', { name: 'Dominika Wiśniewska' }).click();
  await expect(title(teacher)).toHaveText('Dominika Wiśniewska');
  await expect(teacher.getByText('B801200005001')).toBeVisible();
  await expect(teacher.getByText('Parents and carers')).toHaveCount(0);
  await expect(teacher.getByRole('link', { name: 'Correct the details' })).toHaveCount(0);
  for (const gone of [outsider, `${dominika}/edit`, `${dominika}/remove`, '/pupils/add', '/caseloads', '/settings/pupils', '/pupils/looked']) {
    expect((await teacher.goto(gone))?.status(), gone).toBe(404);
  }

  // The end of it.
  await admin.goto('/caseloads');
  await admin.getByRole('button', { name: /^End now/ }).click();
  await expect(notice(admin)).toContainText('It is off their caseload.');
  expect((await teacher.goto(chidi))?.status()).toBe(404);
  await teacher.goto('/pupils');
  await expect(teacher.locator('.empty')).toContainText('No pupils yet');

  await admin.goto(chidi);
  await admin.getByText('Record that they left').click();
  await admin.getByLabel('Last day here').fill(day(2));
  await admin.getByRole('button', { name: 'Record the leaving' }).click();
  await expect(admin.getByRole('alert')).toBeVisible();
  await expect(admin.getByLabel('Last day here')).toHaveValue(day(2));
  await admin.getByLabel('Last day here').fill(day(-1));
  await admin.getByRole('button', { name: 'Record the leaving' }).click();
  await expect(notice(admin)).toHaveText('It is recorded that Chidi Eze left.');
  await admin.goto('/pupils?left=yes');
  await expect(admin.getByRole('row', { name: /Chidi Eze/ })).toContainText('Left on');
  await admin.goto('/pupils');
  await expect(admin.getByRole('row', { name: /Chidi Eze/ })).toHaveCount(0);
});

test('beyond the caseload a teacher gives a reason, which the data protection lead reads', async ({ school }) => {
  const admin = await school.as('admin');
  const elliot = await addPupil(admin, { first: 'Elliot', last: 'Pryce', upn: 'M80120000500A' });
  const teacher = await school.as('teacher1');
  expect((await teacher.goto(elliot))?.status()).toBe(404);
  await teacher.goto('/pupils');
  await teacher.getByRole('link', { name: 'Open another pupil’s record' }).first().click();
  const open = async (first: string, words: string) => {
    await teacher.getByLabel('First name').fill(first);
    await teacher.getByLabel('Surname').fill('Pryce');
    await teacher.getByLabel('Why').selectOption({ label: 'The family has turned to me' });
    await teacher.getByLabel('In a few words').fill(words);
    await teacher.getByRole('button', { name: 'Open the record' }).click();
  };
  await open('Elliot', 'short');
  await expect(teacher.getByRole('alert')).toContainText('at least 10 characters');
  await expect(teacher.getByLabel('First name')).toHaveValue('Elliot');
  await open('Eliot', 'His mother rang me about the trip.');
  await expect(teacher.getByRole('alert')).toContainText('No pupil here is called that.');
  await open('Elliot', 'His mother rang me about the trip.');
  await expect(title(teacher)).toHaveText('Elliot Pryce');
  await expect(teacher.locator('.looked')).toContainText('for a reason you gave');
  await expect(teacher.getByText('M80120000500A'), 'who they are, and no more').toHaveCount(0);
  await teacher.goto('/pupils');
  await expect(teacher.getByRole('region', { name: 'Open for a reason' })).toContainText('Elliot Pryce');

  await admin.goto('/pupils/looked');
  const line = admin.getByRole('row', { name: new RegExp(NAMES.teacher1) });
  await expect(line).toContainText('For a reason they gave');
  await expect(line).toContainText('His mother rang me about the trip.');
  await admin.goto(`${elliot}/looked`);
  await expect(admin.getByRole('row', { name: new RegExp(NAMES.admin) })).toContainText('By their role');
});

test('a parent is linked, and an order of the court takes the child away without a word', async ({ school }) => {
  const admin = await school.as('admin');
  await addPupil(admin, { first: 'Aisha', last: 'Khan' });
  await admin.getByText('Link a parent').click();
  await admin.getByRole('button', { name: 'Link them' }).click();
  await expect(admin.getByRole('alert')).toContainText('Choose somebody with the role of a parent.');
  await admin.getByLabel('Who', { exact: true }).selectOption({ label: NAMES.parent1 });
  await admin.getByLabel('What they are to the child').selectOption({ label: 'Father' });
  await admin.getByRole('button', { name: 'Link them' }).click();
  await expect(notice(admin)).toHaveText('The parent is linked to this child.');
  await admin.getByRole('link', { name: /^Restrict contact/ }).click();
  await admin.getByRole('button', { name: 'Restrict contact' }).click();
  await expect(admin.getByRole('alert')).toContainText('Say what the restriction rests on');
  await admin.getByLabel('What it rests on').fill('Order of the family court at Leeds, 2 March 2026');
  await admin.getByRole('button', { name: 'Restrict contact' }).click();
  await expect(admin.locator('.restricted')).toContainText('Order of the family court at Leeds');
  const senco = await school.as('senco');
  await senco.goto(new URL(admin.url()).pathname);
  await expect(senco.locator('.restricted')).toContainText('Contact restricted');
  await expect(senco.getByRole('link', { name: /^Lift the restriction/ })).toHaveCount(0);
  await admin.getByRole('link', { name: /^Lift the restriction/ }).click();
  await admin.getByRole('button', { name: 'Lift the restriction' }).click();
  await expect(notice(admin)).toHaveText('The restriction is lifted.');
  await admin.getByRole('button', { name: /^End the link/ }).click();
  await expect(admin.getByRole('region', { name: 'Parents and carers' })).toContainText('Nobody is linked.');
});

test('cover has an end, and what was typed is kept until it has one', async ({ school }) => {
  const admin = await school.as('admin');
  await openGroup(admin, '3K');
  await admin.getByRole('link', { name: 'Put it on a caseload' }).click();
  await admin.getByLabel('Whose', { exact: true }).selectOption({ label: NAMES.ta1 });
  await admin.getByRole('checkbox', { name: /^They cover for somebody/ }).check();
  await admin.getByRole('button', { name: 'Put it on their caseload' }).click();
  await expect(admin.getByRole('alert')).toContainText('Say until when the cover lasts.');
  await expect(admin.getByRole('checkbox', { name: /^They cover for somebody/ })).toBeChecked();
  const until = admin.getByRole('group', { name: 'Until' });
  await until.getByLabel('Day').fill(day(3));
  await until.getByLabel('Time').fill('half past');
  await admin.getByRole('button', { name: 'Put it on their caseload' }).click();
  await expect(admin.getByRole('alert')).toContainText('Enter a time like 15:30.');
  await until.getByLabel('Time').fill('15:30');
  await admin.getByRole('button', { name: 'Put it on their caseload' }).click();
  await expect(admin.getByRole('row', { name: new RegExp(NAMES.ta1) })).toContainText('Cover');
});

test('what a school keeps beyond what it must has a purpose, and who answers for it a telephone', async ({ school }) => {
  const admin = await school.as('admin');
  await admin.goto('/settings/pupils');
  const lead = admin.getByRole('region', { name: 'Designated safeguarding lead' });
  await lead.getByLabel('Who').selectOption({ label: NAMES.head });
  await lead.getByLabel('What to do').fill('Tell her.\nAt once </textarea>.');
  // The browser asks for what it must have; a text of spaces gets past it.
  await lead.getByLabel('How they are reached').fill(' ');
  await lead.getByRole('button', { name: /^Save/ }).click();
  await expect(admin.getByRole('alert')).toContainText('Say how they are reached');
  await expect(lead.getByLabel('What to do')).toHaveValue('Tell her.\nAt once </textarea>.');
  await lead.getByLabel('How they are reached').fill('Room 2, extension 14');
  await lead.getByRole('button', { name: /^Save/ }).click();
  await expect(notice(admin)).toHaveText('Saved.');

  const field = admin.locator('.switch').filter({ hasText: 'Preferred name' });
  await field.getByText('Switch on').first().click();
  await field.getByLabel('What your school needs it for').fill('short');
  await field.getByRole('button', { name: 'Switch on' }).click();
  await expect(admin.getByRole('alert')).toContainText('at least 10 characters');
  await field.getByLabel('What your school needs it for').fill('So that each child is called by their own name.');
  await field.getByRole('button', { name: 'Switch on' }).click();
  await expect(field).toContainText('So that each child is called by their own name.');
  await admin.goto('/pupils/add');
  await expect(admin.getByLabel('Preferred name')).toBeVisible();
  await admin.goto('/settings/pupils');
  await field.getByText('Switch off').first().click();
  await field.getByRole('button', { name: 'Switch off and delete' }).click();
  await expect(notice(admin)).toHaveText('The field is off, and what was kept of it is deleted.');
});

for (const who of ['parent1', 'governor1', 'chair', 'clerk'] as const) {
  test(`there is nothing of pupils for ${who}`, async ({ school }) => {
    const admin = await school.as('admin');
    const one = await addPupil(admin, { first: 'Aisha', last: 'Khan' });
    const group = await openGroup(admin, '4W');
    const page = await school.as(who);
    for (const path of ['/pupils', '/pupils/add', '/pupils/seek', '/pupils/looked', one, `${one}/edit`, `${one}/looked`, `${one}/remove`, '/groups', group, '/caseloads', '/settings/pupils']) {
      expect((await page.goto(path))?.status(), path).toBe(404);
      await expect(page.getByText('Aisha')).toHaveCount(0);
      // The negative can fail: who keeps the roll has that page, but for the one that needs a caseload to look beyond.
      expect((await admin.goto(path))?.status(), `${path} for the office`).toBe(path === '/pupils/seek' ? 404 : 200);
    }
    await page.goto('/');
    await expect(page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: /pupils/i })).toHaveCount(0);
  });
}

test('every page about pupils is measured', async ({ school, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, 'axe is a script');
  test.setTimeout(180_000);
  const admin = await school.as('admin');
  await admin.goto('/pupils');
  await measure(admin, '/pupils without anybody');
  const pupil = await addPupil(admin, { first: 'Maximilian-Alexander', last: 'Featherstonehaugh-Cholmondeley' });
  const group = await openGroup(admin, '6F');
  await putIn(admin, group, 'Maximilian-Alexander Featherstonehaugh-Cholmondeley');
  await give(admin, NAMES.teacher1, group);
  for (const path of ['/pupils', '/pupils/add', pupil, `${pupil}/edit`, `${pupil}/remove`, `${pupil}/looked`, '/pupils/looked', '/groups', group, '/caseloads', '/settings/pupils']) {
    await admin.goto(path);
    await expect(title(admin)).toHaveCount(1);
    await measure(admin, path.replace(/[0-9a-f-]{36}/, '…'));
  }
  const teacher = await school.as('teacher1');
  for (const path of ['/pupils', '/pupils/seek', pupil]) {
    await teacher.goto(path);
    await expect(title(teacher)).toHaveCount(1);
    await measure(teacher, `${path.replace(/[0-9a-f-]{36}/, '…')} as a teacher`);
  }
});
