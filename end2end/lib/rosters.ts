import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page } from './test.ts';

/** As Excel saves "CSV" in this country. */
export function windows1252(text: string): Buffer {
  const odd: Record<string, number> = { '’': 0x92, '‘': 0x91, '–': 0x96, '€': 0x80, 'ž': 0x9e, 'Ž': 0x8e, 'š': 0x9a, 'Š': 0x8a };
  return Buffer.from(
    [...text].map((letter) => {
      const byte = odd[letter] ?? letter.codePointAt(0)!;
      if (byte > 0xff) throw new Error(`${letter} is not in Windows-1252`);
      return byte;
    }),
  );
}

/** Six pupils: four that can be taken, one with a wrong UPN and one born on 31 February. */
export const SIX = [
  'UPN;Admission number;Forename;Surname;DOB;Sex;Year;Reg;FSM;Shoe size',
  'B801200005001;000101;Siân;O’Rourke-Mensah;09/05/2017;F;4;4W;Y;33',
  ';000102;Chidi;Eze;14/11/2016;M;5;5B;N;34',
  ';000103;Zoë;Featherstonehaugh;28/02/2017;F;5;5B;N;34',
  ';000104;Ben;=HYPERLINK("http://x");30/06/2017;M;4;4W;Y;35',
  'A801200005001;000105;Aisha;Khan;17/04/2017;F;5;5B;N;32',
  ';000106;Dominika;Müller;31/02/2017;F;5;5B;Y;33',
  '',
].join('\r\n');

/** Chooses a file on a page with a form for one, and sends it. */
export async function read(page: Page, file: Buffer, name = 'Year 4 and 5.csv'): Promise<void> {
  await page.getByLabel('The file').setInputFiles({ name, mimeType: 'text/csv', buffer: file });
  await page.getByRole('button', { name: /^Read the file/ }).click();
}

/** Reads six pupils, and leaves the office at what they would change. The address of the roster. */
export async function readSix(admin: Page, name?: string): Promise<string> {
  await admin.goto('/roster');
  await read(admin, windows1252(SIX), name);
  await expect(admin).toHaveURL(/\/roster\/[0-9a-f-]{36}\?done=read$/);
  return new URL(admin.url()).pathname;
}

/** A roster of invented pupils as another program may write it: semicolons, in Windows-1252. */
export function invented(pupils: number, faults: number): Buffer {
  const path = join(mkdtempSync(join(process.env.E2E_FOLDER!, 'roster-')), 'roster.csv');
  const asked = ['--pupils', String(pupils), '--faults', String(faults), '--encoding', 'windows-1252', '--delimiter', ';', path];
  execFileSync(join(process.env.E2E_FOLDER!, 'quorate'), ['demo', 'roster', ...asked]);
  return readFileSync(path);
}
