import type { BrowserContextOptions } from '@playwright/test';
import { letterTo } from './mail.ts';
import { enterPassword, expect, title, type Page, type School } from './test.ts';

const CHOSEN = 'copper kettle evening ferry';

/** Asks a parent in from the page of a child, which the office is left on. */
export async function inviteParent(admin: Page, child: string, name: string, email: string, relation = 'Mother'): Promise<void> {
  await admin.goto(child);
  await admin.getByText('Invite a parent').click();
  await admin.getByLabel('Parent’s name').fill(name);
  await admin.getByLabel('Parent’s e-mail address').fill(email);
  await admin.getByLabel('Their relation to the child').selectOption({ label: relation });
  await admin.getByRole('button', { name: 'Invite them' }).click();
}

/** Follows the invitation, chooses a password and signs in, to home: a parent needs no second step. */
export async function join(school: School, email: string, options: BrowserContextOptions = {}): Promise<Page> {
  const letter = await letterTo(email, /invites you as a parent or carer/);
  const parent = await school.stranger(options);
  await parent.goto(letter.link);
  await parent.getByLabel('New password').fill(CHOSEN);
  await parent.getByRole('button', { name: 'Join' }).click();
  await enterPassword(parent, email, CHOSEN);
  await expect(title(parent)).toContainText('Hello');
  return parent;
}

/** Records an order of the court that keeps the first parent from a child. */
export async function restrict(admin: Page, child: string): Promise<void> {
  await admin.goto(child);
  await admin.getByRole('link', { name: /^Restrict contact/ }).first().click();
  await admin.getByLabel('What it rests on').fill('Order of the family court at Leeds, 2 March 2026');
  await admin.getByRole('button', { name: 'Restrict contact' }).click();
  await expect(admin.locator('.restricted')).toContainText('Contact restricted');
}

/** The page on which a parent reads of a child, from the page that staff have of them. */
export const asParent = (child: string) => child.replace('/pupils/', '/children/');
