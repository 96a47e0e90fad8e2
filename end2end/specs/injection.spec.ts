import { letterTo } from '../lib/mail.ts';
import { enterCode, enterPassword, expect, test, title, type Page } from '../lib/test.ts';
import { Authenticator } from '../lib/totp.ts';

/** Names that would be more than names if anything forgot to escape them. */
const NAMES = [
  '<script>window.pwned=1</script>',
  '"><img src=x onerror=window.pwned=1>',
  "'><svg onload=window.pwned=1>",
  '</textarea></title></style><script>window.pwned=1</script>',
  '<iframe srcdoc="<script>parent.pwned=1</script>">',
  '<a href=javascript:window.pwned=1 autofocus onfocus=window.pwned=1>x</a>',
  '--><details open ontoggle=window.pwned=1>',
  '${window.pwned=1}{{constructor.constructor("window.pwned=1")()}}',
  '\\u003cscript\\u003ewindow.pwned=1\\u003c/script\\u003e',
  '&lt;img src=x onerror=window.pwned=1&gt; <b>bold</b>',
];

/** Nothing of the page may come from a name: no handler, no foreign element, no address that runs. */
async function clean(page: Page, where: string): Promise<void> {
  const found = await page.evaluate(() => {
    const elements = [...document.querySelectorAll('*')];
    return {
      ran: 'pwned' in window,
      handlers: elements.filter((element) => element.getAttributeNames().some((name) => name.startsWith('on'))).map((element) => element.outerHTML.slice(0, 100)),
      foreign: elements.filter((element) => element.matches('img, iframe, object, embed, base, main b > b, a[href^="javascript:" i]')).map((element) => element.outerHTML.slice(0, 100)),
      scripts: elements.filter((element) => element.matches('script') && element.textContent!.startsWith('window.pwned')).length,
    };
  });
  expect(found, where).toEqual({ ran: false, handlers: [], foreign: [], scripts: 0 });
}

test('a name is a name on every page that shows it', async ({ school }) => {
  test.setTimeout(120_000);
  const clerk = await school.as('clerk');
  for (const [number, name] of NAMES.entries()) {
    await clerk.goto('/people/add');
    await clerk.getByLabel('Name').fill(name);
    await clerk.getByLabel('E-mail address').fill(`name${number}@${school.label}.example`);
    // Refused first, so that it is drawn again as what was typed.
    if (number % 3 === 0) {
      await clerk.getByRole('button', { name: 'Add and invite' }).click();
      await expect(clerk.getByRole('alert')).toBeVisible();
      await expect(clerk.getByLabel('Name')).toHaveValue(name);
      await clean(clerk, `refused: ${name}`);
    }
    await clerk.getByRole('checkbox', { name: /^Governor/ }).check();
    await clerk.getByRole('button', { name: 'Add and invite' }).click();
    await expect(title(clerk), name).toHaveText(name);
    expect(await clerk.title()).toBe(`${name} · Quorate`);
    await clean(clerk, `their page: ${name}`);
    const { pathname } = new URL(clerk.url());
    for (const step of number % 3 ? ['remove'] : ['roles', 'remove']) {
      await clerk.goto(`${pathname}/${step}`);
      await expect(title(clerk)).toContainText(name);
      await clean(clerk, `${step}: ${name}`);
    }
  }
  await clerk.goto('/people?show=invited');
  for (const name of NAMES) await expect(clerk.locator('tbody').getByText(name, { exact: true }).first()).toBeAttached();
  await clean(clerk, 'the list');
  await clerk.goto('/');
  await clean(clerk, 'home');
  for (const name of NAMES) {
    await clerk.goto(`/people?q=${encodeURIComponent(name)}&show=${encodeURIComponent(name)}&role=${encodeURIComponent(name)}&page=x`);
    await expect(clerk.getByLabel('Find by name or e-mail')).toHaveValue(name);
    await clean(clerk, `looked for: ${name}`);
  }
});

test('a person with such a name joins, signs in and is greeted by it', async ({ school }) => {
  const [, name] = NAMES;
  const email = `name@${school.label}.example`;
  const clerk = await school.as('clerk');
  await clerk.goto('/people/add');
  await clerk.getByLabel('Name').fill(name);
  await clerk.getByLabel('E-mail address').fill(email);
  await clerk.getByRole('checkbox', { name: /^Governor/ }).check();
  await clerk.getByRole('button', { name: 'Add and invite' }).click();
  const letter = await letterTo(email, /./);
  const page = await school.stranger();
  await page.goto(`http://localhost:${process.env.E2E_PORT}/dev/mail/${letter.file}`);
  await clean(page, 'the letter');
  await page.goto(letter.link);
  await expect(page.getByText(name)).toBeVisible();
  await clean(page, 'the invitation');
  await page.getByLabel('New password').fill('copper kettle evening ferry');
  await page.getByRole('button', { name: 'Join' }).click();
  await enterPassword(page, email, 'copper kettle evening ferry');
  await enterCode(page, await new Authenticator(await page.locator('.secret').innerText()).code());
  await clean(page, 'the codes');
  for (const path of ['/', '/people', '/me']) {
    await page.goto(path);
    await expect(page.getByRole('banner')).toContainText(name);
    await clean(page, path);
  }
});

test('what is typed before signing in is only text as well', async ({ school }) => {
  const page = await school.stranger();
  for (const name of NAMES) {
    await page.goto(`/sign-in?next=${encodeURIComponent(name)}&why=${encodeURIComponent(name)}`);
    await clean(page, `in the address: ${name}`);
  }
  await page.goto('/sign-in');
  await page.getByLabel('E-mail address').evaluate((field: HTMLInputElement) => (field.type = 'text'));
  await enterPassword(page, NAMES[1]);
  await expect(page.getByLabel('E-mail address')).toHaveValue(NAMES[1]);
  await clean(page, 'refused');
});
