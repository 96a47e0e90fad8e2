import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chmod, copyFile, cp, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A server of our own, and what tests need to know of it. */
export interface Server {
  port: number;
  /** Everything of it: `data`, `log`, and whatever a test puts there. */
  folder: string;
  /** The address of the database, as who migrates it. */
  database: string;
  psql: string;
  /** Ends it and its database. What it left lies in its folder. */
  end: () => Promise<void>;
  /** Ends it, and takes its folder away. */
  stop: () => Promise<void>;
}

/**
 * Starts the real binary with a database and a folder of its own, fills it with schools, and stops it by its process id. With `more` in
 * its environment.
 */
export async function serve(schools: number, more: NodeJS.ProcessEnv = {}): Promise<Server> {
  const target = resolve(process.env.CARGO_TARGET_DIR ?? '../target');
  const built = {
    binary: resolve(process.env.QUORATE_BIN ?? join(target, 'debug/quorate')),
    site: resolve(process.env.QUORATE_SITE ?? join(target, 'site')),
  };
  const folder = await mkdtemp(join(tmpdir(), 'quorate-end2end-'));
  await chmod(folder, 0o755); // PostgreSQL may run as another user, who has to get through
  // Copies, so that a build meanwhile does not change what is tested.
  const binary = join(folder, 'quorate');
  const site = join(folder, 'site');
  await copyFile(built.binary, binary);
  await cp(built.site, site, { recursive: true });
  await bringHashes(built.site, site);

  const port = await freePort();
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    QUORATE_ORIGIN: `http://localhost:${port}`,
    QUORATE_LISTEN: `127.0.0.1:${port}`,
    QUORATE_DATA: join(folder, 'data'),
    QUORATE_SITE: site,
    QUORATE_DEMO: '1',
    QUORATE_DEMO_PAPERS: process.env.PAPERS ?? '0',
    QUORATE_TEST_FAST: '1',
    QUORATE_POSTGRES: postgres(),
    ...more,
  };
  delete env.DATABASE_URL;
  const log = await open(join(folder, 'log'), 'w');
  const server = spawn(binary, ['serve'], { env, cwd: folder, stdio: ['ignore', log.fd, log.fd] });
  const stop = async () => {
    await end(server);
    await log.close();
    if (process.env.KEEP) console.log(`kept ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  };
  try {
    await healthy(port, server);
    await run(binary, ['demo', '--schools', String(schools)], { env, cwd: folder, maxBuffer: 64 * 1024 * 1024 });
    const { stdout } = await run(binary, ['db-url', '--role', 'migrator'], { env: { ...env, QUORATE_LOG: 'error' }, cwd: folder });
    return { port, folder, database: stdout.trim(), psql: join(postgres(), 'psql'), end: () => end(server), stop };
  } catch (error) {
    await end(server);
    throw new Error(`the server did not start; its log is ${join(folder, 'log')}`, { cause: error });
  }
}

/** Where the embedded PostgreSQL lies, as scripts/env.sh has it. */
function postgres(): string {
  const cache =
    process.env.QUORATE_CACHE ??
    (process.getuid?.() === 0 ? '/var/cache/quorate' : join(process.env.XDG_CACHE_HOME ?? `${process.env.HOME}/.cache`, 'quorate'));
  return process.env.QUORATE_POSTGRES ?? join(cache, 'postgres/18.6.3/embedded_postgres/pginstall/bin');
}

/** The names of the hashed files: beside the site where it is installed, beside the release binary where it was built. */
async function bringHashes(from: string, to: string): Promise<void> {
  for (const place of [join(from, 'hash.txt'), join(dirname(from), 'release/hash.txt'), join(dirname(from), 'debug/hash.txt')]) {
    if (await stat(place).catch(() => null)) {
      await copyFile(place, join(to, 'hash.txt'));
      return;
    }
  }
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => listener.once('listening', done));
  const { port } = listener.address() as AddressInfo;
  await new Promise((done) => listener.close(done));
  return port;
}

async function healthy(port: number, server: ChildProcess): Promise<void> {
  for (const started = Date.now(); Date.now() - started < 90_000; ) {
    if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode}`);
    if (await answers(port)) return;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error('the server is not healthy after 90 seconds');
}

function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const asked = request({ host: '127.0.0.1', port, path: '/health', timeout: 1_000 }, (answer) => {
      answer.resume();
      done(answer.statusCode === 200);
    });
    asked.on('error', () => done(false)).on('timeout', () => asked.destroy());
    asked.end();
  });
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const ended = new Promise((done) => server.once('exit', done));
  server.kill('SIGTERM');
  const patience = setTimeout(() => server.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(patience);
}
