import { checkedIn, putOnRecord } from '../lib/database.ts';
import { letterTo } from '../lib/mail.ts';
import { measure } from '../lib/measure.ts';
import { asParent, inviteParent, join, restrict } from '../lib/parents.ts';
import { addPupil } from '../lib/pupils.ts';
import { expect, NAMES, test, title, type Page } from '../lib/test.ts';

const notice = (page: Page) => page.locator('.notice');
const places = (page: Page) => page.getByRole('navigation', { name: 'Places' }).getByRole('link');
/** What would tell somebody that a child is kept from them. */
const BETRAYS = /restrict|court|order of|not allowed|withheld|hidden|closed/i;

test('the office asks a parent in by mail, who reads the one entry that is on record and answers it', async ({ school }) => {
  const email = `rachel@home-of-${school.label}.example`;
  const admin = await school.as('admin');
  const chidi = await addPupil(admin, { first: 'Chidi', last: 'Eze' });
  const aisha = await addPupil(admin, { first: 'Aisha', last: 'Khan' });
  await inviteParent(admin, aisha, 'Rachel Obi', 'rachel@home');
  await expect(admin.getByRole('alert')).toContainText('Enter an e-mail address');
  await expect(admin.getByLabel('Parent’s name')).toHaveValue('Rachel Obi');
  await expect(admin.getByLabel('Parent’s e-mail address')).toHaveValue('rachel@home');
  await expect(admin.getByLabel('Their relation to the child')).toHaveValue('mother');
  await admin.getByLabel('Parent’s e-mail address').fill(email);
  await admin.getByRole('button', { name: 'Invite them' }).click();
  await expect(notice(admin)).toHaveText('The parent is linked to this child, and the invitation is on its way.');
  await expect(admin.getByRole('region', { name: 'Parents and carers' })).toContainText('Rachel Obi');

  const letter = await letterTo(email, /./);
  expect(letter.text).toContain(`${school.name} invites you as a parent or carer`);
  expect(letter.text).not.toMatch(/Aisha|Khan/);
  const parent = await join(school, email);
  await expect(places(parent)).toHaveText(['Home', 'Children', 'My account']);
  await places(parent).getByText('Children').click();
  await expect(title(parent)).toHaveText('Aisha Khan');
  await expect(parent.getByRole('region', { name: 'On record' })).toContainText('Nothing is on record yet.');

  const by = school.email('teacher1');
  putOnRecord(school.label, 'Aisha', by, 'Aisha was kind to a friend in the yard.');
  putOnRecord(school.label, 'Chidi', by, 'Chidi lost a tooth.');
  await parent.goto('/children');
  const entries = parent.getByRole('article');
  await expect(entries).toHaveCount(1);
  await expect(entries).toContainText('Aisha was kind to a friend in the yard.');
  await expect(entries).toContainText(`from ${NAMES.teacher1}`);
  await expect(parent.locator('body')).not.toContainText(/Chidi|For staff alone/);

  await parent.getByText('Say something to this').click();
  await parent.getByRole('button', { name: 'Add my words' }).click();
  await expect(parent.getByRole('alert')).toContainText('Write your statement');
  await parent.getByLabel('What you want to say').fill('She told us too.\nThank you </textarea>!');
  await parent.getByRole('button', { name: 'Add my words' }).click();
  await expect(notice(parent)).toHaveText('Your words are with the entry.');
  await expect(entries).toContainText('Thank you </textarea>!');
  await expect(entries).toContainText('You said on');
  await parent.getByText('Say it anew, to the entry of').click();
  await parent.getByLabel('What you want to say').fill('Thank you all.');
  await parent.getByRole('button', { name: 'Add my words' }).click();
  await expect(entries.locator('.statement')).toHaveCount(1);
  await expect(entries.locator('.statement')).toContainText('Thank you all.');

  for (const gone of [aisha, '/pupils', '/settings/pupils/parents', asParent(chidi), '/children/00000000-0000-7000-8000-000000000000']) {
    expect((await parent.goto(gone))?.status(), gone).toBe(404);
  }
  // The negative can fail: her own child's page is there.
  expect((await parent.goto(asParent(aisha)))?.status()).toBe(200);
  // Nor is a parent's page there for who keeps the roll.
  for (const path of ['/children', asParent(aisha)]) {
    expect((await admin.goto(path))?.status(), path).toBe(404);
  }

  await restrict(admin, aisha);
  // An open page of the child goes by itself, and its going can overtake another.
  await expect(async () => expect((await parent.goto(asParent(aisha)))?.status()).toBe(404)).toPass();
  await parent.goto('/children');
  await expect(title(parent)).toHaveText('Your children');
  await expect(parent.locator('.empty')).toContainText('No child is linked to you here');
  await expect(parent.locator('main')).not.toContainText(BETRAYS);
  await expect(parent.locator('body')).not.toContainText('Aisha');
  await parent.goto('/');
  await expect(parent.locator('main')).not.toContainText(BETRAYS);
  await expect(parent.locator('main')).toContainText('Nothing is new for you.');
});

test('whoever has a place already is linked and told, with both of their addresses and both of their roles', async ({ school }) => {
  const admin = await school.as('admin');
  const aisha = await addPupil(admin, { first: 'Aisha', last: 'Khan' });
  const benedict = await addPupil(admin, { first: 'Benedict', last: 'Khan' });
  await inviteParent(admin, aisha, 'O. Adeyemi', school.email('parent1'), 'Father');
  await expect(notice(admin)).toHaveText('They have a place here as a parent already. They are linked to this child and told so.');
  await expect(admin.getByRole('region', { name: 'Parents and carers' }), 'they keep their name').toContainText(NAMES.parent1);
  await inviteParent(admin, aisha, 'O. Adeyemi', school.email('parent1'), 'Father');
  await expect(admin.getByRole('alert')).toBeVisible();
  await inviteParent(admin, aisha, 'Oluwaseun Adeyemi', `o.adeyemi@works-${school.label}.example`, 'Father');
  await expect(notice(admin)).toContainText('the invitation is on its way');
  await inviteParent(admin, benedict, 'Imran Siddiqui', school.email('teacher1'), 'Carer');
  await expect(notice(admin)).toHaveText('They have a place here already. They are a parent here as well now, and linked to this child.');

  const parent = await school.as('parent1');
  await parent.goto('/');
  await expect(parent.locator('.todo')).toContainText('Look at what is new under Children');
  await expect(parent.getByRole('region', { name: 'What changed' })).toContainText('linked you to a child');
  await parent.locator('.todo').getByRole('link', { name: /^Open/ }).click();
  await expect(title(parent)).toHaveText('Aisha Khan');
  const teacher = await school.as('teacher1');
  await teacher.goto('/children');
  await expect(title(teacher)).toHaveText('Benedict Khan');
  await expect(places(teacher).filter({ hasText: 'My pupils' })).toHaveCount(1);
  await expect(places(teacher).filter({ hasText: 'Children' })).toHaveCount(1);

  // Several children stand side by side, each with what is newest.
  await inviteParent(admin, benedict, 'O. Adeyemi', school.email('parent1'), 'Father');
  putOnRecord(school.label, 'Aisha', school.email('ta1'), 'An older one.', 9);
  putOnRecord(school.label, 'Aisha', school.email('ta1'), 'The newest one.', 2);
  await parent.goto('/children');
  await expect(title(parent)).toHaveText('Your children');
  await expect(parent.getByRole('region', { name: 'Aisha Khan' })).toContainText('The newest one.');
  await expect(parent.getByRole('region', { name: 'Benedict Khan' })).toContainText('Nothing is on record yet.');
  await parent.getByRole('link', { name: 'Open Aisha Khan' }).click();
  await expect(parent.getByRole('article')).toHaveCount(2);
  await expect(parent.getByRole('article').first()).toContainText('The newest one.');
});

test('the school says how long an entry waits, whether parents see a trend, and whom they ask', async ({ school }) => {
  const admin = await school.as('admin');
  const aisha = await addPupil(admin, { first: 'Aisha', last: 'Khan' });
  await inviteParent(admin, aisha, 'O. Adeyemi', school.email('parent1'));
  checkedIn(school.label, 'Aisha', school.email('teacher1'), 8);
  const parent = await school.as('parent1');
  await parent.goto('/children');
  const talk = parent.getByRole('region', { name: 'Who to talk to' });
  await expect(talk).toContainText('Ask the school office.');
  await expect(parent.locator('svg[role=img]')).toHaveCount(0);

  await admin.goto('/settings/pupils');
  await admin.getByRole('link', { name: 'What parents see' }).click();
  await expect(title(admin)).toHaveText('What parents see');
  const minutes = admin.getByLabel('Minutes before parents see an entry');
  await expect(minutes).toHaveValue('30');
  await minutes.fill('soon');
  await admin.getByRole('checkbox', { name: /^Parents see how their child has been/ }).check();
  await admin.getByLabel('Who parents can talk to').fill('Mrs Beaumont\n0114 496 0123');
  await admin.getByRole('button', { name: 'Save' }).click();
  await expect(admin.getByRole('alert')).toContainText('Choose a cooling time from nought to seven days.');
  await expect(minutes).toHaveValue('soon');
  await expect(admin.getByRole('checkbox', { name: /^Parents see how/ })).toBeChecked();
  await minutes.fill('45');
  await admin.getByRole('button', { name: 'Save' }).click();
  await expect(notice(admin)).toHaveText('Saved.');
  await expect(minutes).toHaveValue('45');

  await parent.goto('/children');
  await expect(talk).toContainText('Mrs Beaumont');
  const been = parent.getByRole('region', { name: 'How Aisha has been' });
  await expect(been.locator('svg[role=img]')).toHaveCount(2);
  await expect(been.locator('figcaption').first()).toContainText(/^Settled in (most|about half of the|some) weeks/);
  await been.getByText('Settled as a table').click();
  await expect(been.getByRole('table').first().locator('tbody tr')).toHaveCount(8);
  await expect(been).not.toContainText(/check-in/i);
});

for (const who of ['teacher1', 'senco', 'governor1', 'clerk', 'admin'] as const) {
  test(`the pages of parents are not there for ${who}`, async ({ school }) => {
    const page = await school.as(who);
    expect((await page.goto('/children'))?.status()).toBe(404);
    await page.goto('/');
    await expect(places(page).filter({ hasText: 'Children' })).toHaveCount(0);
    const settings = (await page.goto('/settings/pupils/parents'))?.status();
    expect(settings).toBe(who === 'admin' ? 200 : 404);
  });
}

test('every page of parents is measured', async ({ school, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, 'axe is a script');
  test.setTimeout(180_000);
  const admin = await school.as('admin');
  const parent = await school.as('parent1');
  await parent.goto('/children');
  await measure(parent, '/children without anybody');
  const long = await addPupil(admin, { first: 'Maximilian-Alexander', last: 'Featherstonehaugh-Cholmondeley' });
  await inviteParent(admin, long, 'O. Adeyemi', school.email('parent1'));
  putOnRecord(school.label, 'Maximilian-Alexander', school.email('teacher1'), 'Rhabarberbarbara'.repeat(20));
  checkedIn(school.label, 'Maximilian-Alexander', school.email('teacher1'), 20);
  await admin.goto('/settings/pupils/parents');
  await measure(admin, '/settings/pupils/parents');
  await admin.getByRole('checkbox', { name: /^Parents see how/ }).check();
  await admin.getByRole('button', { name: 'Save' }).click();
  await parent.goto('/children');
  await parent.getByText('Say something to this').click();
  await parent.getByText('Settled as a table').click();
  await measure(parent, '/children of one');
  const other = await addPupil(admin, { first: 'Aisha', last: 'Khan' });
  await inviteParent(admin, other, 'O. Adeyemi', school.email('parent1'));
  await parent.goto('/children');
  await measure(parent, '/children of two');
  await parent.goto(asParent(other));
  await measure(parent, '/children/…');
});
