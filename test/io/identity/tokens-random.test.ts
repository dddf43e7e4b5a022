// Random changes to good tokens, and random claims under a good signature: no surprise, only subjects and refusals.
import fc from 'fast-check';
import t from 'tap';
import { startIdentity } from '../../helpers/identity.ts';
import { runs } from '../../helpers/runs.ts';
import { refusalOf } from '../../helpers/tokens.ts';

t.test('no change of one character makes another good token', async (t) => {
  const { issuer, accept, identity, set } = await startIdentity(t);
  const token = issuer.mint();
  t.ok(await accept(token));
  const alphabet = fc.constantFrom(...Array.from('ABab01-_.= {"\u00e9\n'));
  await fc.assert(
    fc.asyncProperty(
      fc.nat(token.length - 1),
      alphabet,
      fc.constantFrom('swap', 'insert', 'cut'),
      async (at, char, how) => {
        const rest = token.slice(how === 'insert' ? at : at + 1);
        const changed = token.slice(0, at) + (how === 'cut' ? '' : char) + rest;
        if (changed === token) return true;
        return (await refusalOf(identity.authenticate(set, `Bearer ${changed}`))).code === 'token_refused';
      },
    ),
    runs(500, 20_000),
  );
});

t.test('whatever is signed, the answer is a subject or a refusal', async (t) => {
  const { issuer, identity, set } = await startIdentity(t);
  const names = [
    'iss',
    'sub',
    'aud',
    'azp',
    'exp',
    'iat',
    'nbf',
    'jti',
    'roles',
    'user_type',
    'act',
    'auth_time',
    'cnf',
  ];
  const claims = fc.dictionary(fc.constantFrom(...names, 'other'), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 });
  const header = fc.dictionary(
    fc.constantFrom('alg', 'typ', 'kid', 'crit', 'b64', 'jwk'),
    fc.jsonValue({ maxDepth: 2 }),
    {
      maxKeys: 2,
    },
  );
  await fc.assert(
    fc.asyncProperty(claims, header, async (said, head) => {
      try {
        const { token, caller } = await identity.authenticate(set, `Bearer ${issuer.mint(said, { header: head })}`);
        return token.issuer === issuer.issuer && caller.id === 'dms';
      } catch (error) {
        return error instanceof Error && error.name === 'PrivityError';
      }
    }),
    runs(400, 10_000),
  );
});
