import { chosen, classOf, line, pupil, step } from '../lib/checkin.ts';
import { expect, ready, test, title } from '../lib/test.ts';

const SIX = [
  ['Aisha', 'Khan'],
  ['Benedict', 'O’Rourke-Mensah'],
  ['Chidi', 'Eze'],
  ['Dominika', 'Wiśniewska'],
  ['Elliot', 'Pryce'],
  ['Farah', 'Nazari'],
] as const;
/** As they stand in the row: by surname. */
const ROW = ['Chidi Eze', 'Aisha Khan', 'Farah Nazari', 'Benedict', 'Elliot Pryce', 'Dominika'];

test('six pupils are checked in with by keys alone, one key each and one to save', async ({ school }) => {
  test.setTimeout(120_000);
  const admin = await school.as('admin');
  const { id } = await classOf(admin, '4W', ...SIX);
  const teacher = await school.as('teacher1');
  await teacher.goto(`/check-in?group=${id}`);
  await expect(title(teacher)).toHaveText('Check in with 6 pupils');
  const at = (name: string) => expect(pupil(teacher, name).locator('input:focus')).toHaveCount(1);
  await at(ROW[0]);

  const levels = [4, 3, 5, 2, 1, 4];
  for (const [n, level] of levels.entries()) {
    await teacher.keyboard.press(String(level));
    await expect(chosen(teacher, ROW[n], 'settled', level)).toBeChecked();
    await at(ROW[Math.min(n + 1, 5)]);
  }
  // Back up, taken away, left out and chosen anew; by arrows too.
  await teacher.keyboard.press('ArrowUp');
  await at(ROW[4]);
  await teacher.keyboard.press('Backspace');
  await expect(chosen(teacher, ROW[4], 'settled', '')).toBeChecked();
  await teacher.keyboard.press('ArrowRight');
  await teacher.keyboard.press('ArrowRight');
  await expect(chosen(teacher, ROW[4], 'settled', 2)).toBeChecked();
  await teacher.keyboard.press('0');
  await expect(chosen(teacher, ROW[4], 'settled', '')).toBeChecked();
  await teacher.keyboard.press('3');
  await at(ROW[5]);

  // A note: its keys are letters and digits again.
  await teacher.keyboard.press('n');
  await teacher.keyboard.type('Fell out with 2 others, n?');
  await expect(pupil(teacher, ROW[5]).getByLabel(/^Note about/)).toHaveValue('Fell out with 2 others, n?');
  await expect(chosen(teacher, ROW[5], 'settled', 4)).toBeChecked();
  await teacher.keyboard.press('Escape');
  await at(ROW[5]);
  const keys = teacher.locator('details.keys');
  await teacher.keyboard.press('?');
  await expect(keys).toHaveAttribute('open', '');
  await teacher.keyboard.press('?');
  await expect(keys).not.toHaveAttribute('open', '');

  await teacher.keyboard.press('Enter');
  await expect(teacher).toHaveURL('/caseload?done=6');
  await expect(teacher.locator('.notice.good')).toContainText('Checked in with 6 pupils.');
  await expect(line(teacher, 'Elliot Pryce').locator('td[data-label="Settled"]')).toContainText('mixed');
});

test('with two domains the keys go from one to the other, and beside the form they do nothing', async ({ school }) => {
  const admin = await school.as('admin');
  const { id } = await classOf(admin, '4W', SIX[0], SIX[2]);
  const teacher = await school.as('teacher1');
  await teacher.goto(`/check-in?group=${id}`);
  await teacher.getByRole('checkbox', { name: 'Hopeful' }).check();
  await teacher.keyboard.press('3');
  await expect(chosen(teacher, 'Chidi Eze', 'settled', ''), 'a box that is ticked hears no digits').toBeChecked();
  await step(teacher, 'Chidi Eze', 'settled', 5).click();
  await teacher.keyboard.press('ArrowDown');
  for (const level of ['1', '2', '3']) await teacher.keyboard.press(level);
  for (const [name, domain, level] of [
    ['Chidi Eze', 'settled', 5],
    ['Chidi Eze', 'hopeful', 1],
    ['Aisha Khan', 'settled', 2],
    ['Aisha Khan', 'hopeful', 3],
  ] as const) await expect(chosen(teacher, name, domain, level)).toBeChecked();
  await teacher.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Home' }).focus();
  await teacher.keyboard.press('5');
  await expect(chosen(teacher, 'Aisha Khan', 'hopeful', 3)).toBeChecked();
  await expect(chosen(teacher, 'Aisha Khan', 'settled', 2)).toBeChecked();
});

test('a check-in by a colleague is on the open page without a reload', async ({ school }) => {
  const admin = await school.as('admin');
  const { id } = await classOf(admin, '4W', SIX[0], SIX[2]);
  const teacher = await school.as('teacher1');
  await teacher.goto('/caseload');
  await ready(teacher);
  const settled = line(teacher, 'Aisha Khan').locator('td[data-label="Settled"]');
  await expect(settled).toContainText('not yet seen');
  await admin.goto(`/check-in?group=${id}`);
  await step(admin, 'Aisha Khan', 'settled', 1).click();
  await admin.getByRole('button', { name: 'Save the check-in' }).click();
  await expect(settled).toContainText('great difficulty');
});

test('whoever loses the class while writing is offered their words, and nothing of it is sent or stored', async ({ school }) => {
  const admin = await school.as('admin');
  const { id } = await classOf(admin, '4W', SIX[0], SIX[2]);
  const teacher = await school.as('teacher1');
  school.watch.expected.push(/WebSocket|404/);
  await teacher.goto(`/check-in?group=${id}`);
  await ready(teacher);
  await step(teacher, 'Chidi Eze', 'settled', 2).click();
  await pupil(teacher, 'Chidi Eze').locator('details.note > summary').click();
  await pupil(teacher, 'Chidi Eze').getByLabel(/^Note about/).fill('CANARYNOTE slept in class');
  const sent: string[] = [];
  teacher.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`));
  await admin.goto('/caseloads');
  await admin.getByRole('button', { name: /^End now/ }).click();
  const offered = teacher.getByRole('dialog', { name: 'What you may see here has changed' });
  await expect(offered.getByLabel('What you wrote')).toHaveValue('CANARYNOTE slept in class');
  await expect(offered.getByRole('button', { name: 'Copy what you wrote' })).toBeVisible();
  await expect(teacher.getByText('Chidi')).toHaveCount(0);
  const stored = await teacher.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  expect(stored).not.toContain('CANARYNOTE');
  expect(sent.filter((request) => request.includes('CANARYNOTE'))).toEqual([]);
  await offered.getByRole('button', { name: 'Close without it' }).click();
  await expect(title(teacher)).toHaveText('Check in');
  await expect(teacher.locator('.notice')).toContainText('not here any more, or not yours to see');
  await expect(teacher.getByText('CANARYNOTE')).toHaveCount(0);
});

test('whoever had written nothing is led on at once', async ({ school }) => {
  const admin = await school.as('admin');
  const { id } = await classOf(admin, '4W', SIX[0]);
  const teacher = await school.as('teacher1');
  school.watch.expected.push(/WebSocket|404/);
  await teacher.goto(`/check-in?group=${id}`);
  await ready(teacher);
  await admin.goto('/caseloads');
  await admin.getByRole('button', { name: /^End now/ }).click();
  await expect(title(teacher)).toHaveText('Check in');
  await expect(teacher.getByRole('dialog')).toHaveCount(0);
});
