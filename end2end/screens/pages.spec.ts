import { letProofGrowOld } from '../lib/database.ts';
import { letterTo } from '../lib/mail.ts';
import { shoot } from '../lib/pictures.ts';
import { enterCode, enterPassword, expect, School, test, title, type Page } from '../lib/test.ts';
import { Authenticator } from '../lib/totp.ts';

test('pictures of every page', async ({ browser }) => {
  const school = new School(browser, true, 'oakfield', 'Oakfield Primary School');
  const settle = async (page: Page) => {
    await page.locator('.live[data-state=live]').waitFor({ timeout: 3_000 }).catch(() => {});
    await page.waitForLoadState('networkidle');
  };
  const visit = async (page: Page, path: string, name: string) => {
    await page.goto(path);
    await settle(page);
    await shoot(page, name);
  };
  const stranger = await school.stranger();
  await visit(stranger, '/sign-in', '01-sign-in');
  await enterPassword(stranger, school.email('clerk'), 'not my password at all');
  await shoot(stranger, '01-sign-in-refused');
  await visit(stranger, '/forgotten', '04-forgotten');
  await visit(stranger, '/forgotten?sent=yes', '04-forgotten-sent');
  await visit(stranger, '/reset/none', '04-reset-spent');
  await visit(stranger, `http://localhost:${process.env.E2E_PORT}/sign-in`, '01-sign-in-bare');

  const clerk = await school.as('clerk');
  await visit(clerk, '/', '06-home-empty');
  const added = [
    ['Thomasina Brathwaite-Kowalczyk-Featherstonehaugh', 'thomasina.brathwaite-kowalczyk-featherstonehaugh', /^Governor/],
    ['Ngozi Okonkwo-Blythe', 'ngozi', /^Associate member/],
    ['Dafydd ap Rhys', 'dafydd', /^Parent/],
  ] as const;
  for (const [name, address, role] of added) {
    await clerk.goto('/people/add');
    await clerk.getByLabel('Name').fill(name);
    await clerk.getByLabel('E-mail address').fill(`${address}@oakfield.example`);
    await clerk.getByRole('checkbox', { name: role }).check();
    await clerk.getByRole('button', { name: 'Add and invite' }).click();
    await expect(title(clerk)).toHaveText(name);
  }
  await settle(clerk);
  await shoot(clerk, '08-person-invited');
  await clerk.goto('/people');
  const page = async (name: string) => (await clerk.getByRole('link', { name: `Open ${name}` }).getAttribute('href'))!;
  const [governor, other] = [await page('Rukhsana Ahmed'), await page('Callum Fraser')];
  await visit(clerk, `${governor}/suspend`, '08-suspend');
  await clerk.getByRole('button', { name: 'Suspend' }).click();
  await expect(clerk.getByText('is suspended and signed out')).toBeVisible();
  await settle(clerk);
  await shoot(clerk, '08-person-suspended');
  await visit(clerk, other, '08-person');
  await visit(clerk, `${other}/roles`, '08-roles');
  await visit(clerk, `${other}/remove`, '08-remove');
  const chair = await school.as('chair');
  await chair.goto('/');
  await settle(chair);
  await visit(clerk, '/people', '07-people');
  await visit(clerk, '/people?q=nobody+at+all', '07-people-no-match');
  await visit(clerk, '/', '06-home');
  await clerk.locator('details.who > summary').click();
  await shoot(clerk, '06-menu');
  await visit(clerk, '/people/add', '09-add');
  await clerk.getByLabel('Name').fill('Siân Edwards');
  await clerk.getByLabel('E-mail address').fill(school.email('governor2'));
  await clerk.getByRole('checkbox', { name: /^Governor/ }).check();
  await clerk.getByRole('button', { name: 'Add and invite' }).click();
  await expect(clerk.getByRole('alert')).toBeVisible();
  await settle(clerk);
  await shoot(clerk, '09-add-errors');
  await visit(clerk, '/me', '10-account');
  await visit(clerk, '/schools', '11-schools');
  await visit(clerk, '/nothing', '13-404');
  letProofGrowOld(school.email('clerk'));
  await visit(clerk, `${other}/remove`, '05-step-up-first');
  await visit(clerk, '/step-up?next=/people', '05-step-up');
  await visit(chair, '/', '06-home-chair');
  await visit(chair, '/people', '07-people-chair');
  await visit(await school.as('parent1'), '/', '06-home-parent');
  await visit(await school.as('admin'), '/settings', '12-settings');

  const email = 'ngozi@oakfield.example';
  await stranger.goto((await letterTo(email, /./)).link);
  await shoot(stranger, '04-invitation');
  await stranger.getByLabel('New password').fill('copper kettle evening ferry');
  await stranger.getByRole('button', { name: 'Join' }).click();
  await enterPassword(stranger, email, 'copper kettle evening ferry');
  await expect(title(stranger)).toHaveText('Set up your second step');
  await shoot(stranger, '03-enrol');
  await enterCode(stranger, await new Authenticator(await stranger.locator('.secret').innerText()).code());
  await expect(title(stranger)).toHaveText('Keep these recovery codes');
  await shoot(stranger, '03-recovery-codes');
  await stranger.context().clearCookies();
  await stranger.goto('/sign-in');
  await enterPassword(stranger, email, 'copper kettle evening ferry');
  await shoot(stranger, '02-second-factor');
  await visit(stranger, '/sign-in/recovery', '02-recovery');
  await visit(stranger, `http://localhost:${process.env.E2E_PORT}/dev/mail`, '14-mail');
  await stranger.getByRole('link', { name: /password|join|invitation|oakfield/i }).first().click();
  await shoot(stranger, '14-mail-one');
  await school.close();
});
