import { checkedInWithAll, cooled, fourWeeksPass } from '../lib/database.ts';
import { asParent, inviteParent, join } from '../lib/parents.ts';
import { openPicture } from '../lib/picture.ts';
import { give } from '../lib/pupils.ts';
import { timeline } from '../lib/records.ts';
import { invented, read } from '../lib/rosters.ts';
import { expect, NAMES, ready, test, title, type Page } from '../lib/test.ts';

// A phone, a classroom's computer and an office's: as they come.
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const CLASSROOM = { viewport: { width: 1366, height: 768 } };
const places = (page: Page) => page.getByRole('navigation', { name: 'Places' });
/** The address of a group, and how many the office sees in it. */
const group = async (admin: Page, name: string) => {
  await admin.goto('/groups');
  await admin.getByRole('link', { name, exact: true }).first().click();
  await expect(title(admin)).toHaveText(name);
  return { address: new URL(admin.url()).pathname, pupils: await admin.getByRole('table').first().locator('tbody tr').count() };
};

test('from the roster of 1,200 to six check-ins by key, one entry on a parent’s phone and the school’s picture, and nothing of it in another class', async ({ school }) => {
  test.setTimeout(300_000);
  const admin = await school.as('admin');
  const file = invented(1_200, 12);

  // The office: a file as its own program writes it, looked at as a difference, and taken in.
  await admin.goto('/');
  await places(admin).getByRole('link', { name: 'Pupils' }).first().click();
  await admin.getByRole('link', { name: 'Rosters' }).click();
  await read(admin, file, 'July export.csv');
  await expect(title(admin)).toHaveText('July export.csv', { timeout: 60_000 });
  const take = admin.getByRole('button', { name: /^Take in [\d,]+ new pupils$/ });
  const taken = Number((await take.textContent())!.replace(/\D/g, ''));
  expect(taken, 'the twelve with a fault keep nobody else out').toBeGreaterThanOrEqual(1_200 - 2 * 12);
  await take.click();
  await expect(admin.locator('.roster-stands')).toContainText('Taken in, can be undone', { timeout: 60_000 });
  await admin.goto('/pupils');
  await expect(admin.locator('main')).toContainText(taken.toLocaleString('en-GB'));

  // Two classes, each with somebody of its own; and how all of them were a week ago.
  const [ours, theirs] = [await group(admin, '7W'), await group(admin, '8B')];
  await give(admin, NAMES.teacher1, ours.address);
  await give(admin, NAMES.ta1, theirs.address);
  checkedInWithAll(school.label, school.email('senco'), '7W');
  const senco = await school.as('senco');
  await openPicture(senco);
  const settled = senco.getByRole('region', { name: 'The whole school', exact: true }).getByRole('row', { name: /^Settled/ });
  const inDifficulty = async () => Number((await settled.locator('td[data-label^="Difficulty"]').innerText()).split(/[\s%]/)[0].replace(',', ''));
  const before = await inDifficulty();
  expect(before).toBeGreaterThan(300);
  // Nobody has it open meanwhile: the first who looks makes the day's.
  await senco.goto('/');
  fourWeeksPass(school.label);

  // The teacher: my pupils, six of them ticked, a key each and one to save.
  const teacher = await school.as('teacher1', CLASSROOM);
  await teacher.goto('/');
  await places(teacher).getByRole('link', { name: 'My pupils' }).first().click();
  await expect(title(teacher)).toHaveText('My pupils');
  const rows = teacher.locator('table.heat tbody tr');
  expect(ours.pupils).toBeGreaterThan(20);
  await expect(rows).toHaveCount(ours.pupils);
  await teacher.goto('/check-in');
  const boxes = teacher.getByRole('group', { name: 'Pupils' }).getByRole('checkbox');
  for (let n = 0; n < 6; n += 1) await boxes.nth(n).check();
  await teacher.getByRole('button', { name: 'Check in with those ticked' }).click();
  await expect(title(teacher)).toHaveText('Check in with 6 pupils');
  await expect(teacher.locator('li.pupil').first().locator('input:focus')).toHaveCount(1);
  for (const level of [4, 5, 4, 4, 5, 4]) await teacher.keyboard.press(String(level));
  await teacher.keyboard.press('Enter');
  await expect(teacher.locator('.notice.good')).toContainText('Checked in with 6 pupils.');

  // One observation of the first of them, on record.
  const first = rows.filter({ hasText: 'Today' }).first().getByRole('link').first();
  const child = (await first.textContent())!.trim();
  await first.click();
  await expect(title(teacher)).toHaveText(child);
  const pupil = new URL(teacher.url()).pathname;
  await inviteParent(admin, pupil, 'Abena Foster', `abena@home-of-${school.label}.example`);
  const phone = await join(school, `abena@home-of-${school.label}.example`, PHONE);
  await phone.goto('/children');
  await expect(phone.getByRole('region', { name: 'On record' })).toContainText('Nothing is on record yet.');
  await ready(phone);
  const others = await school.as('ta1', CLASSROOM);
  await others.goto('/caseload');
  await ready(others);

  await teacher.getByRole('link', { name: 'Observation', exact: true }).click();
  await teacher.getByLabel('What you saw').fill('Explained the water cycle to the whole table, in own words.');
  await teacher.getByRole('button', { name: 'Save' }).click();
  await expect(teacher.locator('.notice.good')).toContainText('parents do not see it');
  const record = new URL(teacher.url()).pathname;
  await teacher.getByRole('link', { name: 'Put on record…' }).click();
  await teacher.getByRole('button', { name: 'Put on record' }).click();
  await expect(teacher.locator('.notice.good')).toContainText('Until it goes out you can take it back unseen.');
  await phone.goto('/children');
  await expect(phone.getByRole('article'), 'it has not gone out yet').toHaveCount(0);
  cooled(school.label);

  // The parent's phone: that one entry, of that one child.
  await phone.goto('/children');
  await expect(title(phone)).toHaveText(child);
  await expect(phone.getByRole('article')).toHaveCount(1);
  await expect(phone.getByRole('article')).toContainText('Explained the water cycle to the whole table');
  await expect(phone.getByRole('article')).toContainText(NAMES.teacher1);
  await expect(phone.locator('main')).not.toContainText(/check(ed)? in|difficulty/i);
  expect((await phone.goto(asParent(pupil)))?.status()).toBe(200);
  expect(await phone.evaluate(() => document.documentElement.scrollWidth), 'nothing is wider than the phone').toBeLessThanOrEqual(390);

  // The SENCO: the record, and a picture that moved by the six.
  await senco.goto(pupil);
  await expect(timeline(senco)).toHaveCount(3);
  await openPicture(senco);
  expect(await inDifficulty()).toBe(before - 6);
  await expect(settled.locator('td[data-label^="Difficulty"]')).toContainText('−6');
  await expect(settled.locator('td[data-label^="Doing well"]')).toContainText('+6');

  // The other class: nothing of any of it, on the page that was open and on those that can be asked for.
  await expect(others.locator('table.heat tbody tr')).toHaveCount(theirs.pupils);
  await expect(others.getByText(child)).toHaveCount(0);
  for (const path of [pupil, record, `${record}/put`, '/picture', asParent(pupil)]) {
    expect((await others.goto(path))?.status(), path).toBe(404);
    await expect(others.getByText('water cycle')).toHaveCount(0);
  }
  await others.goto(`/pupils?q=${encodeURIComponent(child)}`);
  await expect(others.locator('tbody').getByText(child)).toHaveCount(0);
});
