import { request, type IncomingHttpHeaders } from 'node:http';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A request without a browser. Node does not resolve names under localhost, so the host goes into the header. */
export function ask(method: string, host: string, path: string, form?: Record<string, string>, cookie = ''): Promise<Answer> {
  const port = Number(process.env.E2E_PORT);
  const origin = `http://${host}:${port}`;
  const body = form && new URLSearchParams(form).toString();
  const headers: Record<string, string | number> = { host: `${host}:${port}`, origin };
  if (cookie) headers.cookie = cookie;
  if (body !== undefined) {
    headers['content-type'] = 'application/x-www-form-urlencoded';
    headers['content-length'] = Buffer.byteLength(body);
  }
  return new Promise((done, failed) => {
    const asked = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => done({ status: answer.statusCode!, headers: answer.headers, body: Buffer.concat(parts).toString() }));
    });
    asked.on('error', failed);
    asked.end(body);
  });
}

export const get = (host: string, path: string, cookie = '') => ask('GET', host, path, undefined, cookie);
