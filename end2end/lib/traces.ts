import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The files below a folder that hold a word: as it is, in two bytes a letter, in hexadecimal, or in base64 at any of its three places. */
export async function traces(folder: string, word: string): Promise<string[]> {
  const plain = Buffer.from(word);
  // Of each place in base64 the letters that are the same whatever stands before and after.
  const base64 = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), plain]).toString('base64').replace(/=+$/, '');
    return text.slice(before && before + 1, Math.floor(((plain.length + before) * 8) / 6));
  });
  const forms = [plain, Buffer.from(word, 'utf16le'), ...[plain.toString('hex'), plain.toString('hex').toUpperCase(), ...base64].map((text) => Buffer.from(text))];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const path of entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))) {
    if (await holds(path, forms)) found.push(path);
  }
  return found;
}

async function holds(path: string, forms: Buffer[]): Promise<boolean> {
  const longest = Math.max(...forms.map((form) => form.length));
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const part of createReadStream(path, { highWaterMark: 4 * 1024 * 1024 })) {
      const piece = Buffer.concat([rest, part as Buffer]);
      if (forms.some((form) => piece.includes(form))) return true;
      rest = piece.subarray(-longest);
    }
  } catch (gone) {
    // A file that the database or the browser has taken away since it was listed holds nothing.
    if ((gone as NodeJS.ErrnoException).code !== 'ENOENT') throw gone;
  }
  return false;
}
