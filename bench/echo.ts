// What a plain Fastify can do on this machine: it reads the same bodies and sends them back. It must never do anything else.
import http from 'node:http';
import Fastify from 'fastify';

// As far as they concern the way of a request, the options of src/http/doors.ts.
const app = Fastify({
  logger: false,
  bodyLimit: 2 ** 20,
  serverFactory: (handler) => http.createServer({ keepAliveTimeout: 72_000, requestTimeout: 10_000 }, handler),
});
app.post('/v1/authorize', async (request) => request.body);
app.post('/v1/authorize/batch', async (request) => request.body);

process.send?.({ url: await app.listen({ host: '127.0.0.1', port: 0, backlog: 1024 }) });
process.on('disconnect', () => process.exit(0));
