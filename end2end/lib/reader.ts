import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const PUBLIC = fileURLToPath(new URL('../../public', import.meta.url));
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
};

/** What a page says about its papers; each becomes an attribute `data-…` of the reader. */
export interface Paper {
  kind?: string;
  name?: string;
  bytes: Uint8Array;
  page?: number;
  print?: true;
  marks?: object[];
  changes?: object[];
}

/**
 * A page of the product with the reader in it, and nothing else: the files of `public` with the headers of server/src/security.rs,
 * one paper in parts, and what an attacker would be after (`/api/secret`, a cookie).
 */
export class ReaderServer {
  private constructor(
    private readonly server: Server,
    readonly origin: string,
    public paper: Paper,
  ) {}

  /** What was asked of the paper: parts of it, and how many bytes went out. */
  parts: { begin: number; end: number }[] = [];
  sent = 0;
  /** While the connection is down, every request for the paper is cut off. */
  down = false;
  /** What is answered for the paper instead of it. */
  refusal = 0;
  tag = '"1"';
  /** Knows nothing of parts. */
  whole = false;
  /** Requests that nothing of the reader should ever make. */
  strange: string[] = [];

  static async start(paper: Paper): Promise<ReaderServer> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const here = new ReaderServer(server, `http://localhost:${port}`, paper);
    server.on('request', (request, response) => void here.answer(request, response));
    return here;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url!, this.origin).pathname;
    for (const [name, value] of Object.entries(headersOf(path, this.origin))) response.setHeader(name, value);
    if (path === '/paper') return this.page(response);
    if (path === '/paper/file') return this.file(request, response);
    if (path === '/favicon.ico') return void response.writeHead(204).end();
    if (path === '/api/secret' || path === '/away') {
      this.strange.push(`${path} ${request.headers.cookie ?? 'without a cookie'}`);
      return void response.end('secret');
    }
    const file = join(PUBLIC, normalize(path));
    if (!/^\/(reader|pdfjs|fonts|redraw)\//.test(path) || !file.startsWith(PUBLIC)) {
      this.strange.push(path);
      return void response.writeHead(404).end();
    }
    response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
    createReadStream(file)
      .on('error', () => response.writeHead(404).end())
      .pipe(response);
  }

  private file(request: IncomingMessage, response: ServerResponse): void {
    if (this.down) return void response.destroy();
    if (this.refusal) return void response.writeHead(this.refusal, this.refusal < 400 ? { location: '/away' } : {}).end();
    const { bytes } = this.paper;
    const [, first, last] = this.whole ? [] : /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    response.setHeader('etag', this.tag);
    response.setHeader('accept-ranges', 'bytes');
    response.setHeader('content-type', 'application/octet-stream');
    response.setHeader('content-security-policy', "default-src 'none'; sandbox");
    if (first === undefined) {
      this.sent += bytes.length;
      return void response.end(bytes);
    }
    const [begin, end] = [Number(first), Math.min(Number(last) + 1, bytes.length)];
    this.parts.push({ begin, end });
    this.sent += end - begin;
    response.writeHead(206, { 'content-range': `bytes ${begin}-${end - 1}/${bytes.length}` }).end(bytes.subarray(begin, end));
  }

  private async page(response: ServerResponse): Promise<void> {
    const { kind = 'pdf', name = 'Behaviour policy', bytes, page, print, marks, changes } = this.paper;
    const list = (value?: object[]) => JSON.stringify(value ?? []).replaceAll('&', '&amp;').replaceAll("'", '&#39;');
    const nonce = 'bm9uY2U';
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('set-cookie', 'session=secret; HttpOnly; SameSite=Lax; Path=/');
    response.setHeader(
      'content-security-policy',
      `default-src 'none'; script-src 'self' 'nonce-${nonce}' 'wasm-unsafe-eval'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    );
    response.end(`<!doctype html><html lang="en-GB" data-accent="green"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${name}</title>
<script src="/redraw/idiomorph.min.js" defer></script><script src="/redraw/redraw.js" defer></script><script type="module" src="/reader/host.js"></script>
<script nonce="${nonce}">window.told = []; for (const what of ['page', 'mark', 'select', 'shown']) addEventListener('reader:' + what, ({ detail }) => told.push({ what, at: performance.now(), ...detail }));
const sheet = new CSSStyleSheet(); sheet.replaceSync('html, body { margin: 0; height: 100% } main { display: flex; flex-direction: column; height: 100% } h1, details, p { margin: 4px 8px; font: 16px sans-serif } a { display: inline-block; min-height: 24px } paper-reader { display: block; flex: 1; min-height: 0 }'); document.adoptedStyleSheets = [sheet];</script>
</head><body><main><h1>${name}</h1>
<paper-reader id="reader" data-src="/paper/file" data-kind="${kind}" data-name="${name}" data-length="${bytes.length}"${page ? ` data-page="${page}"` : ''}${print ? ' data-print' : ''} data-marks='${list(marks)}' data-changes='${list(changes)}'><a href="/paper/file">Download</a></paper-reader>
<p id="mark-q1">A question <a href="#page=4" data-mark="q1">On page 4</a></p>
<details data-quote-box><summary>Ask</summary><form data-quote="ask"><blockquote data-quote-shown hidden></blockquote><label>Question <textarea name="body"></textarea></label>
<input type="hidden" name="exact"><input type="hidden" name="prefix"><input type="hidden" name="suffix"><input type="hidden" name="page"><input type="hidden" name="position"></form></details>
</main></body></html>`);
  }
}

/** As server/src/security.rs has them: a test there and this list must say the same. */
export function headersOf(path: string, origin: string): Record<string, string> {
  const shared = /^\/(reader|pdfjs|fonts)\//.test(path);
  const framed = path === '/reader/frame.html';
  return {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'x-frame-options': framed ? 'SAMEORIGIN' : 'DENY',
    'cross-origin-resource-policy': shared ? 'cross-origin' : 'same-origin',
    ...(shared ? { 'access-control-allow-origin': '*' } : {}),
    'content-security-policy': framed ? framePolicy(origin) : "default-src 'none'; frame-ancestors 'none'",
    'cache-control': 'no-store',
  };
}

/** The policy of the frame: it runs our program and pdf.js, and reaches nothing but their files. */
export function framePolicy(host: string): string {
  return (
    `default-src 'none'; script-src ${host}/reader/ ${host}/pdfjs/ 'wasm-unsafe-eval'; worker-src blob:; style-src ${host}/reader/; ` +
    `img-src blob: data:; font-src ${host}/fonts/ blob: data:; connect-src ${host}/pdfjs/; form-action 'none'; base-uri 'none'; ` +
    `frame-ancestors 'self'; sandbox allow-scripts allow-modals`
  );
}

/** The text of a file of `public`. */
export const publicFile = (path: string) => readFile(join(PUBLIC, path), 'utf8');
