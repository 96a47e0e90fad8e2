import { readFile } from 'node:fs/promises';
import { fillRoll, foundTrust } from '../lib/database.ts';
import { openPicture } from '../lib/picture.ts';
import { enterCode, enterPassword, expect, NAMES, test, title, type Who } from '../lib/test.ts';

test('the SENCO reads the day’s picture, in which no small group stands, on the page as in the file', async ({ school }) => {
  const senco = await school.as('senco');
  await senco.goto('/picture');
  await expect(senco.locator('.empty')).toContainText('Nobody is on the roll yet');
  fillRoll(school.label, 30, 3);
  await openPicture(senco);
  await expect(title(senco)).toHaveText('The school’s picture');
  await expect(senco.getByText('stands for every number that is not shown')).toHaveCount(1);
  const whole = senco.getByRole('region', { name: 'The whole school', exact: true });
  await expect(whole.locator('caption')).toContainText('33 pupils.');
  await expect(whole.getByRole('row')).toHaveCount(9);
  // Nobody was seen: that of all of them nobody is in difficulty is a statement about each.
  await expect(whole.getByRole('row', { name: /^Safe/ }).locator('td').first()).toContainText('–');
  const safe = senco.getByRole('region', { name: 'Safe', exact: true });
  await expect(safe.locator('svg[role=img] desc')).toContainText('Year 5: Difficulty (1 or 2) hidden');
  await safe.getByText('Safe by year group as a table').click();
  await expect(safe.getByRole('row', { name: /^Year 5/ }).locator('td').first()).toContainText('–');

  const [file] = await Promise.all([senco.waitForEvent('download'), senco.getByRole('link', { name: 'Download as CSV' }).click()]);
  expect(file.suggestedFilename()).toBe('picture.csv');
  const lines = (await readFile(await file.path(), 'utf8')).trim().split('\r\n');
  expect(lines[0]).toContain('Day,Told apart by,Group,Domain,');
  expect(lines).toHaveLength(1 + 8 * 3);
  const small = lines.slice(1).flatMap((line) => line.split(',').slice(4)).filter((cell) => /^[0-4]$/.test(cell));
  expect(small).toEqual([]);
  expect(lines.join()).toContain('–');

  // Frozen: who comes during the day is in tomorrow's.
  fillRoll(school.label, 20, 0);
  await openPicture(senco);
  await expect(whole.locator('caption')).toContainText('33 pupils.');

  await senco.goto('/pupils');
  await senco.getByRole('link', { name: 'The school’s picture' }).click();
  await expect(title(senco)).toHaveText('The school’s picture');
});

test('nobody else finds a picture, nor its file', async ({ sharedSchool }) => {
  for (const who of ['teacher1', 'ta1', 'clerk', 'chair', 'governor1', 'parent1'] satisfies Who[]) {
    const page = await sharedSchool.as(who);
    for (const path of ['/picture', '/picture.csv', '/trust/picture']) {
      expect((await page.goto(path))?.status(), `${who} at ${path}`).toBe(404);
    }
  }
});

test('a trust’s leader sees the whole school of each, and none of its years', async ({ school }) => {
  fillRoll(school.label, 30, 30);
  await openPicture(await school.as('senco'));
  const trust = `http://${foundTrust(school.label, school.email('head'), NAMES.head)}.localhost:${process.env.E2E_PORT}`;
  const bare = `http://localhost:${process.env.E2E_PORT}`;
  const head = await school.as('head');
  await openPicture(head);
  await expect(head.getByText(`Leaders of Trust of ${school.label} see`)).toBeVisible();
  const lead = await school.stranger({ baseURL: bare });
  await lead.goto('/sign-in');
  await enterPassword(lead, school.email('head'));
  await enterCode(lead, await school.code('head'));
  await lead.getByRole('button', { name: `Open Trust of ${school.label}` }).click();
  await lead.goto(`${trust}/overview`);
  await lead.getByRole('link', { name: 'How their pupils are' }).click();
  await expect(title(lead)).toHaveText('Pupils of the trust’s schools');
  const row = lead.getByRole('row', { name: new RegExp(`^${school.name}`) });
  await expect(row.getByRole('cell').last()).toContainText('60');
  await expect(lead.locator('main')).not.toContainText('Year 4');
  expect((await lead.goto(`${trust}/picture`))?.status()).toBe(404);
});
