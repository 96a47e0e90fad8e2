// What every peer is told, and how: one line with a number on a connection of its own is one change to broadcast.
import { createServer } from 'node:net';

/** The words of one change, as every contestant sends them. */
export const words = (seq) => `{"changed":["people"],"seq":${seq}}`;

/** Listens for numbers, and tells the harness where to come: the port of the sockets, then this one. */
export function control(port, broadcast) {
  const listener = createServer((peer) => {
    let rest = '';
    peer.setNoDelay(true);
    peer.on('data', (bytes) => {
      const lines = (rest + bytes.toString('latin1')).split('\n');
      rest = lines.pop();
      for (const line of lines) broadcast(Number(line));
    });
    // The harness has ended; whoever started us ends us too.
    peer.on('error', () => {});
  });
  listener.listen(0, '127.0.0.1', () => console.log(`ready ${port} ${listener.address().port}`));
}
