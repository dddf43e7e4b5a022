// A service that has everything it needs, for `privity doctor` to look at: database, keys, policies without findings, key endpoint, webhook.
// It must never run anything but the command line.
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { chmodSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { generateWriterKey } from '../../src/io/log/writer-key.ts';
import { type Ended, privity, REPOSITORY } from '../cli/privity.ts';
import { startKeyEndpoint, type KeyEndpoint } from './key-endpoint.ts';
import { createDatabase, type TearsDown, type TestDatabase } from './postgres.ts';
import { makeKey } from './tokens.ts';

export interface CheckReport {
  readonly group: string;
  readonly name: string;
  readonly looks_at: string;
  readonly verdict: 'ok' | 'warning' | 'failure' | 'could-not-check';
  readonly found: string;
  readonly todo: string | null;
}

export interface Diagnosis extends Ended {
  readonly checks: readonly CheckReport[];
  /** By name; fails where the check was not made. */
  check(name: string): CheckReport;
}

export interface Patient {
  readonly home: string;
  readonly policies: string;
  readonly database: TestDatabase;
  readonly keys: KeyEndpoint;
  readonly env: Readonly<Record<string, string>>;
  /** Runs `privity doctor --json`; an empty value takes a setting away. */
  diagnose(env?: Readonly<Record<string, string>>, args?: readonly string[]): Promise<Diagnosis>;
  /** Another folder of the same policies with these files changed, or added. */
  policiesWith(changes: Readonly<Record<string, (text: string) => string>>): Promise<string>;
  file(name: string, content: string | Buffer, mode?: number): Promise<string>;
}

const ISSUER_URL = 'https://login.small.example/jwks';

export async function createPatient(t: TearsDown): Promise<Patient> {
  const home = await mkdtemp(path.join(tmpdir(), 'privity-doctor-'));
  // Others may enter, as far as what lies there lets them.
  chmodSync(home, 0o755);
  t.teardown(async () => {
    setWritable(home, true);
    await rm(home, { recursive: true, force: true });
  });
  const keys = await startKeyEndpoint(t);
  keys.publish(makeKey('ES256').jwk);
  const policies = path.join(home, 'policies');
  await cp(path.join(REPOSITORY, 'examples/small-firm'), policies, { recursive: true });
  const issuers = path.join(policies, 'issuers.yaml');
  await writeFile(issuers, (await readFile(issuers, 'utf8')).replace(ISSUER_URL, keys.url));
  // Its wall keeps somebody of the team out, which is a finding.
  await rm(path.join(policies, 'walls'), { recursive: true });
  await rm(path.join(policies, 'tests'), { recursive: true });
  // A review that is due is a finding, whenever this runs.
  const rules = path.join(policies, 'rules/rules.yaml');
  await writeFile(rules, (await readFile(rules, 'utf8')).replaceAll(/review_by: \S+/g, 'review_by: 2099-12-31'));
  setWritable(policies, false);
  const writerKeyFile = path.join(home, 'writer.pem');
  await generateWriterKey(writerKeyFile);
  const database = await createDatabase(t);
  const { writer, reader, sealer, owner } = database.urls;
  const env = {
    DATABASE_URL: writer,
    DATABASE_READER_URL: reader,
    DATABASE_SEALER_URL: sealer,
    DATABASE_OWNER_URL: owner,
    POLICIES_DIR: policies,
    WRITER_KEY_FILE: writerKeyFile,
    WEBHOOK_URL: 'http://127.0.0.1:9/hidden-path',
    WEBHOOK_SECRET: 'hidden-secret-of-the-webhook',
    MAX_CONNECTIONS: '100',
  };
  let folders = 0;
  return {
    home,
    policies,
    database,
    keys,
    env,
    diagnose: (more = {}, args = []) => diagnose({ ...env, ...more }, args),
    async policiesWith(changes) {
      const copy = path.join(home, `policies-${(folders += 1)}`);
      await cp(policies, copy, { recursive: true });
      setWritable(copy, true);
      for (const [name, change] of Object.entries(changes)) {
        const file = path.join(copy, name);
        await mkdir(path.dirname(file), { recursive: true });
        await writeFile(file, change(await readFile(file, 'utf8').catch(() => '')));
      }
      setWritable(copy, false);
      return copy;
    },
    async file(name, content, mode = 0o600) {
      const file = path.join(home, name);
      await writeFile(file, content);
      chmodSync(file, mode);
      return file;
    },
  };
}

async function diagnose(env: Readonly<Record<string, string>>, args: readonly string[]): Promise<Diagnosis> {
  const ended = await privity(['doctor', '--json', ...args], { env });
  const { checks } = JSON.parse(ended.out) as { checks: readonly CheckReport[] };
  return {
    ...ended,
    checks,
    check(name) {
      const found = checks.find((one) => one.name === name);
      if (found === undefined) throw new Error(`no check \`${name}\` in ${checks.map((one) => one.name).join(', ')}`);
      return found;
    },
  };
}

function setWritable(folder: string, writable: boolean): void {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  if (writable) chmodSync(folder, 0o755);
  for (const { parentPath, name } of entries.filter((entry) => entry.isDirectory() || entry.isFile())) {
    const isFolder = entries.some((one) => one.parentPath === parentPath && one.name === name && one.isDirectory());
    chmodSync(path.join(parentPath, name), isFolder ? (writable ? 0o755 : 0o555) : writable ? 0o644 : 0o444);
  }
  if (!writable) chmodSync(folder, 0o555);
}
