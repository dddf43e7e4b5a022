// The example firm as a service of its own sees it: its policies in a temporary folder, its issuers' keys swapped for a key made here,
// and tokens of its people and systems. It must never go around the issuers' rules.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PolicySet } from '../../src/core/policy-set.ts';
import { generateWriterKey } from '../../src/io/log/writer-key.ts';
import type { CallerEntry } from '../../src/model/data.ts';
import { firmPolicies } from './policies.ts';
import type { TearsDown } from './postgres.ts';
import { makeKey, signCompact } from './tokens.ts';

type Json = Readonly<Record<string, unknown>>;
/** Contents by path; null removes a file. */
export type FirmFiles = Readonly<Record<string, string | null>>;

export interface ServiceFirm {
  /** POLICIES_DIR. */
  readonly dir: string;
  readonly writerKeyFile: string;
  /** Public half of the key that certifies writers. */
  readonly certifier: KeyObject;
  /** Another folder of policies with the same keys: the same firm with these files changed. */
  variant(files: FirmFiles): Promise<string>;
  /** A caller's own token. */
  callerToken(caller: string): string;
  /** A person's token that the caller brings along. */
  subjectToken(caller: string, person: string, claims?: Json): string;
  /** A person's own token for Privity, issued to the caller's client. */
  personToken(caller: string, person: string, claims?: Json): string;
}

const STARTER = fileURLToPath(new URL('../../policies', import.meta.url));
const KEYS = 'keys/test.json';
const LIFETIME_SECONDS = 12 * 60 * 60;

export async function createFirm(t: TearsDown, files: FirmFiles = {}): Promise<ServiceFirm> {
  const home = await mkdtemp(path.join(tmpdir(), 'privity-firm-'));
  t.teardown(() => rm(home, { recursive: true, force: true }));
  const key = makeKey('ES256');
  const keySet = JSON.stringify({ keys: [key.jwk] });
  let variants = 0;
  const variant = async (changes: FirmFiles): Promise<string> => {
    const dir = path.join(home, `policies-${(variants += 1)}`);
    await writePolicies(dir, { ...files, ...changes, [KEYS]: keySet });
    return dir;
  };
  const writerKeyFile = path.join(home, 'writer.pem');
  const certifier = createPublicKey(await generateWriterKey(writerKeyFile));
  const set = firmPolicies();

  let minted = 0;
  const mint = (claims: Json): string => {
    const now = Math.floor(Date.now() / 1000);
    minted += 1;
    const payload = { iat: now, exp: now + LIFETIME_SECONDS, jti: `token-${minted}`, ...claims };
    const header = { alg: key.alg, typ: 'at+jwt', kid: key.kid };
    return signCompact({ header, payload, key: key.privateKey, alg: key.alg });
  };

  return {
    dir: await variant({}),
    writerKeyFile,
    certifier,
    variant,
    callerToken(id) {
      const { issuer, client_id: client } = callerOf(set, id);
      return mint({ iss: issuer, aud: issuerOf(set, issuer).audience, sub: client, azp: client });
    },
    subjectToken(id, person, claims = {}) {
      const accepted = callerOf(set, id).subject_tokens;
      return mint({ ...personClaims(set, person), aud: accepted?.audiences[0], azp: accepted?.clients[0], ...claims });
    },
    personToken(id, person, claims = {}) {
      const { issuer, client_id: client } = callerOf(set, id);
      return mint({ ...personClaims(set, person), aud: issuerOf(set, issuer).audience, azp: client, ...claims });
    },
  };
}

async function writePolicies(dir: string, files: FirmFiles): Promise<void> {
  await cp(STARTER, dir, { recursive: true });
  // A service has no use for them, and they take a while to read.
  await rm(path.join(dir, 'tests'), { recursive: true, force: true });
  const issuers = path.join(dir, 'issuers.yaml');
  const text = await readFile(issuers, 'utf8');
  await writeFile(issuers, text.replaceAll(/keys: \{ url: \S+ \}/g, `keys: { file: ${KEYS} }`));
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(dir, name);
    await mkdir(path.dirname(file), { recursive: true });
    await (content === null ? rm(file) : writeFile(file, content));
  }
}

/** What the directory says of the person; strangers of the firm's own domain are associates. */
function personClaims(set: PolicySet, person: string): Json {
  const stranger = {
    user_type: 'internal',
    roles: ['associate'],
    employee_status: 'active',
    contract_type: 'permanent',
    training_until: '2030-12-31T00:00:00Z',
  };
  const outside = /^[xc]-/.test(person);
  return {
    iss: outside ? 'https://partners.firm.example/' : 'https://login.firm.example/',
    ...(set.data.directory.get(person) ?? stranger),
    sub: person,
    amr: ['pwd', 'mfa'],
    auth_time: Math.floor(Date.now() / 1000),
    idtyp: 'user',
  };
}

function callerOf(set: PolicySet, id: string): CallerEntry {
  const found = set.callers.find((caller) => caller.id === id);
  if (found === undefined) throw new Error(`no caller ${id}`);
  return found;
}

function issuerOf(set: PolicySet, name: string) {
  const found = set.issuers.find(({ issuer }) => issuer === name);
  if (found === undefined) throw new Error(`no issuer ${name}`);
  return found;
}
