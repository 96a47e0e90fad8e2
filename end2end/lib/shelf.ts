import { expect, title, type Page } from './test.ts';

/** A folder that governors read, and its page. */
export async function openFolder(clerk: Page, name: string): Promise<void> {
  await clerk.goto('/library');
  await clerk.getByRole('link', { name: 'Make a folder' }).first().click();
  await clerk.getByLabel('Name', { exact: true }).fill(name);
  await clerk.getByRole('checkbox', { name: 'Governor', exact: true }).check();
  await clerk.getByRole('button', { name: 'Make the folder' }).click();
  await expect(title(clerk)).toHaveText(name);
}

export interface Chosen {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

export const pdf = (name: string, bytes: Uint8Array): Chosen => ({ name, mimeType: 'application/pdf', buffer: Buffer.from(bytes) });

/** Adds a document to the folder whose page is open; ends on the document's page. A large file may take longer, in milliseconds. */
export async function addDocument(clerk: Page, documentTitle: string, file: Chosen | string, within = 30_000): Promise<void> {
  await clerk.getByRole('link', { name: 'Add documents' }).first().click();
  await clerk.getByLabel('Title').fill(documentTitle);
  await clerk.getByLabel('Files').setInputFiles(file);
  await clerk.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(title(clerk)).toHaveText(documentTitle, { timeout: within });
}

export async function addVersion(clerk: Page, note: string, file: Chosen): Promise<void> {
  await clerk.getByRole('link', { name: 'Add a version' }).click();
  await clerk.getByLabel('What is new in it').fill(note);
  await clerk.getByLabel('File', { exact: true }).setInputFiles(file);
  await clerk.getByRole('button', { name: 'Add the version' }).click();
}
