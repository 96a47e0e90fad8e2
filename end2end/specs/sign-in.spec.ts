import { letterTo } from '../lib/mail.ts';
import { enterCode, enterPassword, expect, PASSWORD, signOut, test, title } from '../lib/test.ts';
import { Authenticator } from '../lib/totp.ts';

const CHOSEN = 'copper kettle evening ferry';

test('a clerk signs in with a password and a code, and is at home', async ({ school }) => {
  const page = await school.stranger();
  await page.goto('/');
  await expect(page).toHaveURL('/sign-in');
  await expect(title(page)).toHaveText(`Sign in to ${school.name}`);
  await enterPassword(page, school.email('clerk'));
  await expect(title(page)).toHaveText('Enter your code');
  await page.goto('/people');
  await expect(page, 'a password alone opens nothing').toHaveURL('/sign-in/factor');
  await enterCode(page, await school.code('clerk'));
  await expect(page).toHaveURL('/');
  await expect(title(page)).toHaveText('Hello, Nasreen');
});

test('a link to a page leads there once one is signed in', async ({ school }) => {
  const page = await school.stranger();
  // The cookie goes while a page is open, and its connection may not have been made by then.
  school.watch.expected.push(/WebSocket/);
  await page.goto('/people?show=board&q=s%C3%AD');
  await enterPassword(page, school.email('clerk'), 'not my password at all');
  await enterPassword(page, school.email('clerk'));
  await enterCode(page, '000000');
  await enterCode(page, await school.code('clerk'));
  await expect(page).toHaveURL('/people?show=board&q=s%C3%AD');
  for (const elsewhere of ['//evil.example', 'https://evil.example', '/\\evil.example', 'javascript:alert(1)']) {
    await page.context().clearCookies();
    await page.goto(`/sign-in?next=${encodeURIComponent(elsewhere)}`);
    await enterPassword(page, school.email('chair'));
    await enterCode(page, await school.code('chair'));
    await expect(page, elsewhere).toHaveURL('/');
    if (elsewhere.startsWith('https')) break;
  }
});

test('a wrong password is told in a sentence, and what was typed is kept but for the password', async ({ school }) => {
  const page = await school.stranger();
  await page.goto('/sign-in');
  await page.getByLabel('This is a shared computer').check();
  await enterPassword(page, school.email('clerk'), 'not my password at all');
  await expect(page.getByRole('alert')).toContainText('That e-mail address and password do not match.');
  await expect(page.getByLabel('E-mail address')).toHaveValue(school.email('clerk'));
  await expect(page.getByLabel('This is a shared computer')).toBeChecked();
  await expect(page.getByLabel('Password')).toHaveValue('');
  const wrong = await page.getByRole('alert').innerText();
  await enterPassword(page, `nobody@${school.label}.example`, PASSWORD);
  await expect(page.getByLabel('E-mail address')).toHaveValue(`nobody@${school.label}.example`);
  expect(await page.getByRole('alert').innerText(), 'an unknown address is told in the same words').toBe(wrong);
});

test('a wrong code is refused beside its field, and a right one works once', async ({ school }) => {
  const page = await school.stranger();
  await page.goto('/sign-in');
  await enterPassword(page, school.email('governor1'));
  await enterCode(page, '000000');
  await expect(page.getByLabel('Six-digit code')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Six-digit code')).toHaveAccessibleDescription(/That code is not right/);
  const code = await school.code('governor1');
  await enterCode(page, `${code.slice(0, 3)} ${code.slice(3)}`);
  await expect(title(page)).toHaveText('Hello, Dilip');
  await signOut(page);
  await enterPassword(page, school.email('governor1'));
  await enterCode(page, code);
  await expect(page.getByRole('alert')).toContainText('it has been used');
});

test('on a shared computer the cookie ends with the browser, and signing out takes it away', async ({ school }) => {
  const page = await school.stranger();
  await page.goto('/sign-in');
  await page.getByLabel('This is a shared computer').check();
  await enterPassword(page, school.email('ta1'));
  await enterCode(page, await school.code('ta1'));
  await expect(title(page)).toHaveText('Hello, Jasmine');
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ name: 'quorate', expires: -1, httpOnly: true, sameSite: 'Lax', path: '/' });
  await signOut(page);
  expect(await page.context().cookies()).toEqual([]);
  await page.goBack();
  await expect(title(page), 'going back shows nothing of before').not.toHaveText('Hello, Jasmine');
});

test('a recovery code lets in once, and new codes are shown once', async ({ school }) => {
  const page = await school.as('teacher1');
  await page.goto('/me');
  await page.getByRole('button', { name: 'Make new recovery codes' }).click();
  await expect(title(page)).toHaveText('Keep these recovery codes');
  const codes = await page.locator('.codes li').allInnerTexts();
  expect(new Set(codes).size).toBe(10);
  await page.getByRole('link', { name: 'I have kept them' }).click();
  await page.goto('/me');
  await expect(page.locator('.codes')).toHaveCount(0);
  await signOut(page);

  for (const [code, passes] of [[codes[0], true], [codes[0], false], [codes[9].replaceAll(' ', '-'), true]] as const) {
    await page.goto('/sign-in');
    await enterPassword(page, school.email('teacher1'));
    await page.getByRole('link', { name: 'Use a recovery code instead' }).click();
    await page.getByLabel('Recovery code').fill(code);
    await page.getByRole('button', { name: 'Continue' }).click();
    if (passes) {
      await expect(title(page)).toHaveText('Hello, Imran');
      await signOut(page);
    } else {
      await expect(page.getByRole('alert')).toContainText('That recovery code is not right, or it has been used.');
      await page.getByRole('button', { name: 'Sign out' }).click();
    }
  }
});

test('a forgotten password is chosen anew by a mailed link, once, and the code is still asked for', async ({ school }) => {
  const elsewhere = await school.as('senco');
  await elsewhere.goto('/');
  const page = await school.stranger();
  await page.goto('/sign-in');
  await page.getByRole('link', { name: 'I have forgotten my password' }).click();
  await page.getByLabel('E-mail address').fill(`nobody@${school.label}.example`);
  await page.getByRole('button', { name: 'Send the link' }).click();
  await expect(title(page)).toHaveText('Look in your e-mail');
  const unknown = await page.locator('main').innerText();
  await page.goto('/forgotten');
  await page.getByLabel('E-mail address').fill(school.email('senco'));
  await page.getByRole('button', { name: 'Send the link' }).click();
  await expect(title(page)).toHaveText('Look in your e-mail');
  expect(await page.locator('main').innerText(), 'whoever is meant, the words are the same').toBe(unknown);

  const letter = await letterTo(school.email('senco'), /password/i);
  await page.goto(letter.link);
  await expect(title(page)).toHaveText('Choose a new password');
  await page.getByLabel('New password').fill('short');
  await page.getByRole('button', { name: 'Change the password' }).click();
  await expect(page.getByLabel('New password')).toHaveAttribute('aria-invalid', 'true');
  await page.getByLabel('New password').fill(CHOSEN);
  await page.getByRole('button', { name: 'Change the password' }).click();
  await expect(page.getByRole('status')).toContainText('Your password is changed.');
  await elsewhere.goto('/people');
  await expect(elsewhere, 'signed out everywhere').toHaveURL(/\/sign-in/);
  await enterPassword(page, school.email('senco'));
  await expect(page.getByRole('alert')).toContainText('do not match');
  await enterPassword(page, school.email('senco'), CHOSEN);
  await enterCode(page, await school.code('senco'));
  await expect(title(page)).toHaveText('Hello, Harriet');
  const again = await school.stranger();
  await again.goto(letter.link);
  await expect(title(again)).toHaveText('This link does not work any more');
});

test('an invited person chooses a password, sets up the second step, keeps the codes and is at home', async ({ school }) => {
  const email = `new@${school.label}.example`;
  const clerk = await school.as('clerk');
  await clerk.goto('/people/add');
  await clerk.getByLabel('Name').fill('Ngozi Okonkwo-Blythe');
  await clerk.getByLabel('E-mail address').fill(email);
  await clerk.getByRole('checkbox', { name: /^Governor/ }).check();
  await clerk.getByRole('button', { name: 'Add and invite' }).click();
  await expect(clerk.getByText('You added Ngozi Okonkwo-Blythe.')).toBeVisible();

  const { link } = await letterTo(email, /./);
  const page = await school.stranger();
  await page.goto(link);
  await expect(title(page)).toHaveText(`Welcome to ${school.name}`);
  await expect(page.getByText('Ngozi Okonkwo-Blythe')).toBeVisible();
  await page.getByLabel('New password').fill('Ngozi Okonkwo-Blythe 1');
  await page.getByRole('button', { name: 'Join' }).click();
  await expect(page.getByLabel('New password'), 'one’s own name is no password').toHaveAttribute('aria-invalid', 'true');
  await page.getByLabel('New password').fill(CHOSEN);
  await page.getByRole('button', { name: 'Join' }).click();
  await expect(page.getByText('Welcome. Sign in to begin.')).toBeVisible();

  await enterPassword(page, email, CHOSEN);
  await expect(title(page)).toHaveText('Set up your second step');
  await expect(page.getByRole('img', { name: /QR code/ })).toBeVisible();
  await page.goto('/');
  await expect(page, 'nothing opens before').toHaveURL('/sign-in/enrol');
  const key = await page.locator('.secret').innerText();
  expect(key.replaceAll(/\s/g, '')).toMatch(/^[A-Z2-7]{32}$/);
  await enterCode(page, '123456');
  await expect(page.getByLabel('Six-digit code')).toHaveAttribute('aria-invalid', 'true');
  expect(await page.locator('.secret').innerText(), 'the app’s entry stays right').toBe(key);
  const app = new Authenticator(key);
  await enterCode(page, await app.code());
  await expect(title(page)).toHaveText('Keep these recovery codes');
  expect(await page.locator('.codes li').count()).toBe(10);
  await page.getByRole('link', { name: 'I have kept them' }).click();
  await expect(title(page)).toHaveText('Hello, Ngozi');
  await signOut(page);
  await enterPassword(page, email, CHOSEN);
  await enterCode(page, await app.code());
  await expect(title(page)).toHaveText('Hello, Ngozi');
  await page.goto(link);
  await expect(title(page)).toHaveText('This link does not work any more');
});

test('somebody with a place at one school joins another with the same account, and goes between them', async ({ school, otherSchool }) => {
  const clerk = await otherSchool.as('clerk');
  await clerk.goto('/people/add');
  await clerk.getByLabel('Name').fill('Margaret Oyelaran');
  await clerk.getByLabel('E-mail address').fill(school.email('chair'));
  await clerk.getByRole('checkbox', { name: /^Associate member/ }).check();
  await clerk.getByRole('button', { name: 'Add and invite' }).click();
  await expect(clerk.getByText('You added Margaret Oyelaran.')).toBeVisible();

  const chair = await school.as('chair');
  const { link } = await letterTo(school.email('chair'), /./);
  await chair.goto(link);
  await expect(chair.getByText('You have an account already.')).toBeVisible();
  await expect(chair.getByLabel('New password')).toHaveCount(0);
  await chair.getByRole('button', { name: 'Join' }).click();
  await expect(chair).toHaveURL(`${otherSchool.origin}/sign-in?why=joined`);

  await chair.goto(`${school.origin}/schools`);
  await expect(chair.locator('.school-card')).toHaveCount(2);
  await chair.getByRole('button', { name: `Open ${otherSchool.name}` }).click();
  await expect(chair).toHaveURL(`${otherSchool.origin}/`);
  await expect(title(chair)).toHaveText('Hello, Margaret');
  await expect(chair.getByRole('banner')).toContainText(otherSchool.name);
});
