// The peer socket.io, as its documentation shows a broadcast; over WebSocket alone, which is its quicker transport.
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { control } from './control.mjs';

const http = createServer();
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });
http.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  control(http.address().port, (seq) => io.emit('changed', { changed: ['people'], seq })),
);
