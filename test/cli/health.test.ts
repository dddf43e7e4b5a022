// `privity health`: what a container engine asks, over HTTP and over TLS.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { startApp } from '../helpers/app.ts';
import { createAuthority } from '../helpers/certificates.ts';
import { collect, spawnNode } from '../helpers/processes.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

t.test('a service that speaks TLS is asked over TLS, whatever its certificate is called', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-health-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const { cert, key } = await (await createAuthority('Servers of the test')).issue('privity.firm.example');
  const environment = { TLS_CERT_FILE: path.join(folder, 'cert.pem'), TLS_KEY_FILE: path.join(folder, 'key.pem') };
  await writeFile(environment.TLS_CERT_FILE, cert);
  await writeFile(environment.TLS_KEY_FILE, key);
  const { app } = await startApp(t, { environment });
  await app.http.listen({ port: 0, host: '127.0.0.1' });
  const address = app.http.server.address();
  const PORT = String(typeof address === 'object' && address !== null ? address.port : 0);
  const health = (env: Readonly<Record<string, string>>, ...more: string[]): ReturnType<typeof collect> =>
    collect(spawnNode([MAIN, 'health', ...more], { env: { PATH: process.env['PATH'], PORT, ...env } }));

  t.match(await health({ ...environment, HOST: '0.0.0.0' }), { code: 0, output: '{"status":"ok"}' });
  t.match(await health(environment, '--ready'), { code: 0, output: '"status":"ready"' });
  t.match(await health({}), { code: 1 }, 'not over HTTP');
  await app.stop();
  t.match(await health(environment), { code: 1, output: `127.0.0.1:${PORT} does not answer` });
});
