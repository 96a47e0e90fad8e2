// The peer Bun: its own publish, which sends one text to all who watch a topic.
import { control, words } from './control.mjs';

const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request, server) {
    return server.upgrade(request) ? undefined : new Response('', { status: 426 });
  },
  websocket: {
    idleTimeout: 0,
    perMessageDeflate: false,
    open(socket) {
      socket.subscribe('people');
    },
    message() {},
  },
});
control(server.port, (seq) => server.publish('people', words(seq)));
