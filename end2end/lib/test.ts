import { test as base, expect, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from '@playwright/test';
import { openSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from './http.ts';
import { Authenticator } from './totp.ts';

export { expect };
export type { Page };

/** What every demo account signs in with. */
export const PASSWORD = 'quiet otter lantern harbour';
const FACTOR = 'JBSWY3DPEHPK3PXP';

/** The people of every school of the demo, by the first part of their address. */
export const NAMES = {
  admin: 'Beatrice Lim',
  head: 'Eleanor Hargreaves',
  clerk: 'Nasreen Choudhury',
  chair: 'Margaret Oyelaran',
  governor1: 'Dilip Parmar',
  governor2: 'Siân Edwards',
  governor3: 'Thomas Brathwaite-Kowalczyk',
  governor4: 'Rukhsana Ahmed',
  senco: 'Harriet Beaumont',
  teacher1: 'Imran Siddiqui',
  ta1: 'Jasmine Baptiste',
  parent1: 'Oluwaseun Adeyemi',
  parent2: 'Rachel Goldberg',
} as const;
export type Who = keyof typeof NAMES;

/** By address: a code is good once, whichever test asks for it. */
const apps = new Map<string, Authenticator>();

/** A school that no other test touches, with everybody's authenticator app. */
export class School {
  private readonly contexts: BrowserContext[] = [];
  readonly watch = new Watch();

  constructor(
    private readonly browser: Browser,
    private readonly javaScript: boolean,
    readonly label: string,
    readonly name: string,
  ) {}

  get host(): string {
    return `${this.label}.localhost`;
  }

  get origin(): string {
    return `http://${this.host}:${process.env.E2E_PORT}`;
  }

  email(who: Who): string {
    return `${who}@${this.label}.example`;
  }

  /** The next code of a person's app. */
  code(who: Who): Promise<string> {
    const app = apps.get(this.email(who)) ?? new Authenticator(FACTOR);
    apps.set(this.email(who), app);
    return app.code();
  }

  /** A browser of its own, with nobody signed in. */
  async stranger(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ baseURL: this.origin, javaScriptEnabled: this.javaScript, ...options });
    this.contexts.push(context);
    context.on('page', (page) => this.watch.page(page));
    return context.newPage();
  }

  /** A browser of its own in which a person is signed in, at no page yet. */
  async as(who: Who, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.stranger(options);
    await page.context().addCookies([await this.session(who)]);
    return page;
  }

  /** Signs in without a browser, for tests that are about something else. */
  async session(who: Who): Promise<{ name: string; value: string; url: string }> {
    const email = this.email(who);
    let cookie = '';
    const post = async (path: string, form: Record<string, string>, to: string) => {
      const answer = await ask('POST', this.host, path, form, cookie);
      if (answer.status !== 303 || answer.headers.location !== to) {
        throw new Error(`${email} got ${answer.status} ${answer.headers.location ?? answer.body.slice(0, 300)} at ${path}`);
      }
      cookie = answer.headers['set-cookie']![0].split(';')[0];
    };
    await post('/sign-in', { act: 'session/sign-in', email, password: PASSWORD, next: '' }, '/sign-in/factor');
    await post('/sign-in/factor', { act: 'session/factor', code: await this.code(who) }, '/');
    const [name, value] = cookie.split('=');
    return { name, value, url: this.origin };
  }

  async close(): Promise<void> {
    await Promise.all(this.contexts.map((context) => context.close()));
  }
}

/** Everything a page must never do, whatever is tested. */
export class Watch {
  readonly faults: string[] = [];
  /** Console lines that the test brings about on purpose. */
  readonly expected: RegExp[] = [];

  page(page: Page): void {
    const fault = (text: string) => this.faults.push(`${page.url()}: ${text}`);
    page.on('console', (line) => {
      if (!['error', 'warning'].includes(line.type())) return;
      // With scripts off the program's preload goes unused, which the browser remarks on.
      if (line.text().includes('was preloaded using link preload')) return;
      const text = `${line.type()}: ${line.text()} (${line.location().url})`;
      // A refused form and a page that is not there answer with their status, which Chromium writes down.
      const ofThePage = /Failed to load resource: the server responded with a status of 4\d\d/.test(text) && !/\/(api|pkg|fonts)\//.test(line.location().url);
      // A page whose session has just ended may have asked once more, and goes to the sign-in page.
      const ofTheEnd = /the server responded with a status of 401/.test(text) && /\/api\//.test(line.location().url);
      if (!ofThePage && !ofTheEnd && !this.expected.some((expected) => expected.test(text))) fault(text);
    });
    page.on('pageerror', (error) => fault(`uncaught ${error.message}`));
    page.on('crash', () => fault('the page crashed'));
    page.on('dialog', (dialog) => {
      fault(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      const url = new URL(request.url());
      const here = url.host.endsWith(`localhost:${process.env.E2E_PORT}`) || ['data:', 'about:', 'blob:'].includes(url.protocol);
      if (!here) fault(`a request to ${url.host}`);
    });
  }
}

interface Fixtures {
  /** A school of this test's own. */
  school: School;
  /** Another one. */
  otherSchool: School;
}

interface WorkerFixtures {
  /** A school that the tests of one worker share, and leave as it is. */
  sharedSchool: School;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  school: async ({ browser, javaScriptEnabled }, use) => {
    await lend(await claim(browser, javaScriptEnabled ?? true), use);
  },
  otherSchool: async ({ browser, javaScriptEnabled }, use) => {
    await lend(await claim(browser, javaScriptEnabled ?? true), use);
  },
  sharedSchool: [
    async ({ browser }, use) => {
      await lend(await claim(browser, true), use);
    },
    { scope: 'worker' },
  ],
});

async function lend(school: School, use: (school: School) => Promise<void>): Promise<void> {
  await use(school);
  await school.close();
  expect(school.watch.faults, 'what no page may do').toEqual([]);
}

/** Takes the first school that nobody has: whoever makes its file. */
async function claim(browser: Browser, javaScript: boolean): Promise<School> {
  for (let number = 1; number <= Number(process.env.E2E_SCHOOLS); number += 1) {
    try {
      closeSync(openSync(join(process.env.E2E_FOLDER!, 'claims', String(number)), 'wx'));
      return new School(browser, javaScript, `school-${number}`, `School ${number}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new Error(`all ${process.env.E2E_SCHOOLS} schools are taken: lib/setup.ts says how many there are`);
}

/** Waits until the page's own program has taken over and follows what changes. */
export async function ready(page: Page): Promise<void> {
  await expect(page.locator('.live')).toHaveAttribute('data-state', 'live');
}

/** Fills the form of the sign-in page and sends it. */
export async function enterPassword(page: Page, email: string, password = PASSWORD): Promise<void> {
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export async function enterCode(page: Page, code: string): Promise<void> {
  await page.getByLabel('Six-digit code').fill(code);
  await page.getByRole('button', { name: /Continue|Turn it on/ }).click();
}

export async function signOut(page: Page): Promise<void> {
  await page.locator('details.who > summary').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL('/sign-in?why=left');
}

/** The page's title. */
export const title = (page: Page) => page.getByRole('heading', { level: 1 });
