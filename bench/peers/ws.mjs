// The peer `ws`: what its own documentation shows as broadcast, without compression and with the words made bytes once.
import { createServer } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import { control, words } from './control.mjs';

const http = createServer();
const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
http.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  control(http.address().port, (seq) => {
    const text = Buffer.from(words(seq));
    for (const socket of sockets.clients) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text, { binary: false });
    }
  }),
);
