import fc from 'fast-check';
import t from 'tap';
import { MAX_TOKEN_LENGTH, readCompact } from '../../../src/io/identity/compact.ts';
import { base64url, refusalOf } from '../../helpers/tokens.ts';
import { runs } from '../../helpers/runs.ts';

const header = base64url({ alg: 'ES256' });
const payload = base64url({ sub: 'u-okafor' });
const compact = `${header}.${payload}.c2ln`;
const refusal = async (token: string): Promise<string> => {
  const { code, reason, internal } = await refusalOf((async () => readCompact(token))());
  return code === 'token_refused' && reason === 'malformed' ? internal : `${code} ${reason}`;
};

t.test('takes a token apart', async (t) => {
  const jws = readCompact(compact);
  t.same(jws.header, { alg: 'ES256' });
  t.same(jws.payload, { sub: 'u-okafor' });
  t.equal(Buffer.from(jws.payloadBytes).toString(), '{"sub":"u-okafor"}');
});

t.test('refuses every other shape', async (t) => {
  const shapes: readonly [string, string][] = [
    ['empty', ''],
    ['one part', header],
    ['two parts', `${header}.${payload}`],
    ['four parts', `${compact}.c2ln`],
    ['unsecured', `${header}.${payload}.`],
    ['no payload', `${header}..c2ln`],
    ['leading space', ` ${compact}`],
    ['trailing space', `${compact} `],
    ['trailing line', `${compact}\n`],
    ['line inside', `${header}.\n${payload}.c2ln`],
    ['padding', `${header}=.${payload}.c2ln`],
    ['base64 instead of base64url', `${header}.${payload}.+/+/`],
    ['quotes', `"${compact}"`],
    ['braces', `{${compact}}`],
    ['JSON serialisation', JSON.stringify({ protected: header, payload, signature: 'c2ln' })],
    ['percent encoding', compact.replace('.', '%2E')],
    ['two tokens', `${compact}, ${compact}`],
    ['full-width dot', compact.replace('.', '\uff0e')],
  ];
  for (const [name, token] of shapes) t.match(await refusal(token), /^not a compact JWS/, name);
  t.equal(await refusal('a.b.c.d.e'), 'not a compact JWS: 5 parts', 'a JWE');
  t.match(await refusal(`${compact}${'A'.repeat(MAX_TOKEN_LENGTH)}`), /longer/, 'oversize');
});

t.test('refuses a second spelling of the same bytes', async (t) => {
  // "c2ln" + "Zg" is 4 bits longer than its byte: Zh, Zi, … decode to the same.
  t.ok(readCompact(`${header}.${payload}.c2lnZg`));
  for (const last of ['Zh', 'Zi', 'Zv']) {
    t.match(await refusal(`${header}.${payload}.c2ln${last}`), /signature is not canonical/, last);
  }
  t.match(await refusal(`${header}.${payload}.c2lnA`), /signature is not canonical/, 'a lone character');
  t.match(await refusal(`${base64url('{"a":1}')}9.${payload}.c2ln`), /canonical|syntax/);
});

t.test('no two accepted texts stand for the same parts', async (t) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(63), (bytes, pick) => {
      const good = base64url(bytes);
      const other = good.slice(0, -1) + (alphabet[pick] ?? 'A');
      try {
        readCompact(`${header}.${payload}.${other}`);
        return other === good || !Buffer.from(other, 'base64url').equals(Buffer.from(bytes));
      } catch {
        return true;
      }
    }),
    runs(1000),
  );
  t.pass('held');
});

t.test('refuses content that readers could read differently', async (t) => {
  const withPayload = (text: string | Uint8Array): string => `${header}.${base64url(text)}.c2ln`;
  t.equal(await refusal(withPayload('{"sub":"a","sub":"b"}')), 'payload: duplicate_member');
  t.equal(await refusal(`${base64url('{"alg":"none","alg":"ES256"}')}.${payload}.c2ln`), 'header: duplicate_member');
  t.equal(await refusal(withPayload('{"sub":"a"}{}')), 'payload: syntax');
  t.equal(await refusal(withPayload('\ufeff{"sub":"a"}')), 'payload: syntax', 'byte order mark');
  t.equal(await refusal(withPayload(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))), 'payload is not UTF-8');
  t.equal(await refusal(withPayload(Buffer.from('{"a":"x"}', 'utf16le'))), 'payload: syntax');
  t.equal(await refusal(withPayload('{"exp":1e999}')), 'payload: number_out_of_range');
  t.equal(await refusal(withPayload(String.raw`{"sub":"a\u0000"}`)), 'payload: nul_character');
  for (const text of ['[]', '"x"', 'null', '1']) {
    t.equal(await refusal(withPayload(text)), 'payload is not a JSON object', text);
  }
  t.equal(await refusal(`${base64url('[]')}.${payload}.c2ln`), 'header is not a JSON object');
});

t.test('never fails in another way, whatever it is given', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.base64String()), async (text) => {
      await refusalOf((async () => readCompact(text))());
    }),
    runs(200),
  );
  t.pass('held');
});
