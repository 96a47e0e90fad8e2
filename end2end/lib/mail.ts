import { get } from './http.ts';

/** The newest letter to somebody, as /dev/mail shows it; waits for the worker that writes it. */
export async function letterTo(email: string, subject: RegExp, than = ''): Promise<{ file: string; text: string; link: string }> {
  for (const started = Date.now(); Date.now() - started < 15_000; ) {
    const list = (await get('localhost', '/dev/mail')).body;
    for (const [, file, title, to] of list.matchAll(/<a class="open" href="\/dev\/mail\/([^"]+)">([^<]*)<\/a><\/th><td data-label="To">(.*?)<\/td>/g)) {
      if (to.replace('<wbr>', '') === email && subject.test(title) && file > than) {
        const text = (await get('localhost', `/dev/mail/${file}`)).body;
        const link = /<a href="([^"]+)">http/.exec(text)?.[1];
        if (link) return { file, text, link };
      }
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`no letter ${subject} to ${email}`);
}
