// The certificate of a key endpoint is wrong: its keys are not taken, those of before count, and the reason is named.
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { createKeys } from '../../src/io/identity/keys.ts';
import { createAuthority, type Issued } from '../helpers/certificates.ts';
import { makeKey, startIssuer } from '../helpers/tokens.ts';

const HOUR = 60 * 60_000;

async function startServer(t: Test, cert: Issued, host = '127.0.0.1'): Promise<{ url: string; server: Server }> {
  const body = JSON.stringify({ keys: [makeKey().jwk] });
  const server = createServer({ cert: cert.cert, key: cert.key }, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end(body);
  });
  await new Promise<void>((listening) => server.listen(0, host, listening));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://${host}:${(server.address() as AddressInfo).port}/jwks`, server };
}

t.test('wrong from one day to the next', async (t) => {
  const ours = await createAuthority('Our authority');
  const theirs = await createAuthority('Another authority');
  const before = tls.getCACertificates('default');
  tls.setDefaultCACertificates([...before, ours.cert]);
  t.teardown(() => tls.setDefaultCACertificates(before));
  const good = await ours.issue('login');
  const { url, server } = await startServer(t, good);
  const issuer = await startIssuer(t);
  const entry = issuer.entry({ keys: { url } });
  const clock = { elapsed: 0 };
  const keys = createKeys({
    now: Date.now,
    elapsed: () => clock.elapsed,
    readKeyFile: async () => Promise.reject(new Error('none')),
  });
  t.teardown(keys.close);
  await keys.use([entry]);
  t.match(keys.state(), [{ usable: true, problem: null }]);
  const generation = keys.of(entry).peek()?.generation;

  const wrong: readonly [Issued, string][] = [
    [await ours.issue('login', { validDays: -1 }), 'CERT_HAS_EXPIRED'],
    [await theirs.issue('login'), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    [await ours.issue('login', { use: 'client' }), 'INVALID_PURPOSE'],
  ];
  for (const [cert, problem] of wrong) {
    server.setSecureContext({ cert: cert.cert, key: cert.key });
    clock.elapsed += HOUR;
    await keys.tick();
    t.match(keys.state(), [{ usable: true, problem }], problem);
    t.equal(keys.of(entry).peek()?.generation, generation, 'the keys of before count');
  }
  server.setSecureContext({ cert: good.cert, key: good.key });
  clock.elapsed += HOUR;
  await keys.tick();
  t.match(keys.state(), [{ usable: true, problem: null }], 'over without a restart');

  const elsewhere = await startServer(t, good, '127.0.0.2');
  await keys.use([issuer.entry({ keys: { url: elsewhere.url } })]);
  t.match(keys.state(), [{ usable: false, problem: 'ERR_TLS_CERT_ALTNAME_INVALID' }], 'a certificate of another host');
});
