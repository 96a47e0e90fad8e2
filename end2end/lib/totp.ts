import { createHmac } from 'node:crypto';

const STEP = 30_000;
/** A code must not grow too old on its way. */
const SPARE = 5_000;

/** The six digits of RFC 6238 (SHA-1, 30 seconds) for one step. */
function codeOf(secret: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', bytesOf(secret)).update(counter).digest();
  const offset = mac[19] & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

function bytesOf(base32: string): Buffer {
  const letters = base32.toUpperCase().replace(/[^A-Z2-7]/g, '');
  let bits = '';
  for (const letter of letters) bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
}

/**
 * One person's authenticator app. Each code works once and none older than the last one used, so it hands out each step
 * once: three at once (the server allows a step either side), and then it waits for the next.
 */
export class Authenticator {
  private last = 0;
  constructor(private readonly secret: string) {}

  async code(): Promise<string> {
    const step = Math.max(this.last + 1, Math.floor((Date.now() + SPARE) / STEP) - 1);
    this.last = step;
    while (step > Math.floor(Date.now() / STEP) + 1) await new Promise((done) => setTimeout(done, 250));
    return codeOf(this.secret, step);
  }
}
