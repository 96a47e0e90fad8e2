import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A document that somebody else made, out of a package whose sources `scripts/setup test` has fetched; nothing where it was not. */
export function sample(source: string, path: string): string | undefined {
  const samples = join(process.env.QUORATE_CACHE ?? '', 'samples');
  if (!existsSync(samples)) return undefined;
  const folder = readdirSync(samples).find((name) => name.startsWith(`${source}-`));
  const whole = join(samples, folder ?? '', path);
  return folder && existsSync(whole) ? whole : undefined;
}
