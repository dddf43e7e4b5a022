// Plays the firm's identity providers: one key, tokens of people and systems as the issuers of the starter pack make them. It must
// never be trusted by anything but the folder that the benchmark wrote.
import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { PolicySet } from '../src/core/policy-set.ts';
import type { CallerEntry } from '../src/model/data.ts';

type Claims = Readonly<Record<string, unknown>>;

export interface Issuer {
  readonly keySet: string;
  /** A caller's own token. */
  callerToken(set: PolicySet, caller: CallerEntry): Promise<string>;
  /** A person's token that the caller brings along. */
  subjectToken(set: PolicySet, caller: CallerEntry, person: string, claims: Claims): Promise<string>;
  /** A person's own token, issued to the caller's client. */
  personToken(set: PolicySet, caller: CallerEntry, person: string, claims: Claims): Promise<string>;
}

const ALGORITHM = 'ES256';
const KEY_ID = 'bench-1';
const LIFETIME_SECONDS = 12 * 60 * 60;

export async function createIssuer(): Promise<Issuer> {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: KEY_ID, alg: ALGORITHM, use: 'sig' };

  const mint = (claims: Claims): Promise<string> => {
    const iat = Math.floor(Date.now() / 1000);
    return new SignJWT({ iat, exp: iat + LIFETIME_SECONDS, jti: randomUUID(), ...claims })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'at+jwt', kid: KEY_ID })
      .sign(privateKey);
  };
  return {
    keySet: JSON.stringify({ keys: [jwk] }),
    callerToken: (set, { issuer, client_id: client }) =>
      mint({ iss: issuer, aud: audienceOf(set, issuer), sub: client, azp: client }),
    subjectToken: (set, caller, person, claims) => {
      const accepted = caller.subject_tokens;
      const personal = { iss: issuerOf(set, caller, person), sub: person, idtyp: 'user' };
      return mint({ ...claims, ...personal, aud: accepted?.audiences[0], azp: accepted?.clients[0] });
    },
    personToken: (set, caller, person, claims) => {
      const iss = caller.issuer;
      // A service account asks about itself with the token that its system got for it.
      const kind = claims['user_type'] === 'service' ? {} : { idtyp: 'user' };
      return mint({ ...claims, ...kind, iss, sub: person, aud: audienceOf(set, iss), azp: caller.client_id });
    },
  };
}

/** The one that may speak of this id. */
function issuerOf({ issuers }: PolicySet, caller: CallerEntry, person: string): string {
  const speaks = issuers.find(({ may_assert: { ids } }) => ids.some((id) => person.startsWith(id.replace('*', ''))));
  return speaks?.issuer ?? caller.issuer;
}

function audienceOf({ issuers }: PolicySet, name: string): string {
  return issuers.find(({ issuer }) => issuer === name)?.audience ?? '';
}
