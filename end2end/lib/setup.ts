import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { serve } from './server.ts';

/** Schools that tests take one by one, and once more when they are tried again; a run takes about 350. */
const SCHOOLS = 600;

/** One server for the whole run. What tests need to know goes to their workers through the environment. */
export default async function setup(): Promise<() => Promise<void>> {
  const { port, folder, database, psql, stop } = await serve(SCHOOLS);
  await mkdir(join(folder, 'claims'));
  process.env.E2E_PORT = String(port);
  process.env.E2E_SCHOOLS = String(SCHOOLS);
  process.env.E2E_FOLDER = folder;
  process.env.E2E_DATABASE = database;
  process.env.E2E_PSQL = psql;
  return stop;
}
