import t from 'tap';
import { ambiguityOf } from '../../src/http/framing.ts';

const plain = { headers: { host: 'x' }, rawHeaders: ['Host', 'x'], httpVersion: '1.1', url: '/v1/policy?after=x' };

t.test('has one reading', async (t) => {
  t.equal(ambiguityOf(plain), null);
  t.equal(ambiguityOf({ ...plain, headers: {}, rawHeaders: [], httpVersion: '1.0' }), null, 'HTTP/1.0 has no Host');
  t.equal(ambiguityOf({ ...plain, headers: { host: 'x', 'transfer-encoding': 'Chunked' } }), null);
  t.equal(ambiguityOf({ ...plain, headers: { host: 'x', expect: '100-Continue' } }), null);
  t.equal(
    ambiguityOf({ ...plain, rawHeaders: ['Accept', 'a', 'accept', 'b', 'X-Hosts', 'c'] }),
    null,
    'lists may be split',
  );
});

t.test('has two', async (t) => {
  for (const name of ['Host', 'AUTHORIZATION', 'Content-Type', 'content-encoding', 'Expect']) {
    const rawHeaders = [name, 'x', 'Accept', '*/*', name.toLowerCase(), 'x'];
    t.equal(ambiguityOf({ ...plain, rawHeaders }), `the ${name.toLowerCase()} header is given twice`);
  }
  t.match(ambiguityOf({ ...plain, headers: {} }), /Host/);
  t.match(ambiguityOf({ ...plain, httpVersion: '0.9' }), /HTTP\/1\.1/);
  t.match(ambiguityOf({ ...plain, url: '/livez#x' }), /fragment/);
  t.match(ambiguityOf({ ...plain, headers: { host: 'x', expect: 'x' } }), /100-continue/);
  for (const coding of ['gzip, chunked', 'chunked, chunked', '']) {
    t.match(ambiguityOf({ ...plain, headers: { host: 'x', 'transfer-encoding': coding } }), /chunked/, coding);
  }
  const old = { ...plain, headers: { 'transfer-encoding': 'chunked' }, httpVersion: '1.0' };
  t.match(ambiguityOf(old), /chunked/, 'HTTP/1.0 has no codings (RFC 9112, 6.1)');
});
