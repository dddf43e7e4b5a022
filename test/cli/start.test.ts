// `privity start`, for real: the printed commands give what they say, the data stay, nothing is left running.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { isAlive, signal } from '../../src/io/db/processes.ts';
import { BINARY, copyPolicies, environment, privity, REPOSITORY } from './privity.ts';

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  out(): string;
  err(): string;
  /** Resolves with the exit code, null after a kill. */
  readonly ended: Promise<number | null>;
}

interface Answer {
  readonly decision: boolean;
  readonly context: {
    readonly evaluation_id: string;
    readonly acr_values?: string;
    readonly decided_by?: string[];
    readonly walls?: string[];
  };
}

const LIMIT_MS = 120_000;

/** `command` is the program and its arguments before those of `start`. */
async function start(command: readonly string[], args: readonly string[]): Promise<Running> {
  const [program = '', ...before] = command;
  // A group of its own, as a terminal gives to what is typed into it.
  const child = spawn(program, [...before, ...args], {
    cwd: REPOSITORY,
    env: environment({ PATH: `${path.join(REPOSITORY, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}` }),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const text = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text.out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text.err += chunk));
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  await until(
    () => text.out.includes('# What was recorded') || child.exitCode !== null,
    () => text.out + text.err,
  );
  const url = /http:\/\/[\w.:[\]]+\d/.exec(text.out)?.[0] ?? '';
  return { child, url, ended, out: () => text.out, err: () => text.err };
}

async function until(isSo: () => boolean, describe: () => string): Promise<void> {
  for (const deadline = Date.now() + LIMIT_MS; !isSo(); await sleep(50)) {
    if (Date.now() > deadline) throw new Error(`it did not come to that:\n${describe()}`);
  }
}

function toGroup({ child }: Running, name: NodeJS.Signals): void {
  if (child.pid !== undefined) process.kill(-child.pid, name);
}

function commandsIn(out: string): readonly string[] {
  return out.split('\n').filter((line) => line.startsWith('curl '));
}

function paste(command: string): string {
  const { stdout, stderr, status } = spawnSync('bash', ['-c', command], { encoding: 'utf8', env: environment() });
  t.equal(status, 0, stderr);
  return stdout;
}

async function postgresOf(state: string): Promise<number> {
  const text = await readFile(path.join(state, 'postgres', 'data', 'postmaster.pid'), 'utf8').catch(() => '0');
  return Number.parseInt(text, 10);
}

t.test('start, paste, stop, start again, be killed, start again', { timeout: 5 * LIMIT_MS }, async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-start-'));
  const state = path.join(folder, 'state');
  const policies = await copyPolicies(folder);
  const args = ['--state', state, '--policies', policies, '--port', '0'];
  const direct = [process.execPath, BINARY, 'start'];
  const all: Running[] = [];
  t.teardown(async () => {
    for (const { child } of all) if (child.exitCode === null && child.pid !== undefined) signal(child.pid, 'SIGKILL');
    const left = await postgresOf(state);
    if (left > 0) signal(left, 'SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  const first = await start(direct, args);
  all.push(first);
  t.match(first.out(), `Privity is running on ${first.url}`);
  t.match(first.out(), `${first.url}/docs`);
  t.equal((await fetch(`${first.url}/readyz`)).status, 200);
  t.equal((await fetch(`${first.url}/docs`)).status, 200);

  const [allowed = '', walled = '', stepUp = '', records = ''] = commandsIn(first.out());
  const ids: string[] = [];
  await t.test('the printed commands give what they say', async (t) => {
    const yes: Answer = JSON.parse(paste(allowed));
    t.equal(yes.decision, true);
    const no: Answer = JSON.parse(paste(walled));
    t.equal(no.decision, false);
    t.equal(no.context.walls?.length, 1);
    t.equal(no.context.acr_values, undefined);
    const later: Answer = JSON.parse(paste(stepUp));
    t.equal(later.decision, false);
    t.equal(later.context.acr_values, 'mfa');
    ids.push(...[yes, no, later].map(({ context }) => context.evaluation_id));

    const shown = paste(records)
      .trimEnd()
      .split('\n')
      .map((line): { id: string; record: { outcome: string } } => JSON.parse(line));
    t.same(
      shown.map(({ id }) => id),
      ids,
    );
    t.same(
      shown.map(({ record }) => record.outcome),
      ['allow', 'deny', 'deny'],
    );
  });

  await t.test('tokens of `privity token` work', async (t) => {
    const token = async (...words: string[]) =>
      (await privity(['token', ...words, '--state', state, '--policies', policies])).out.trimEnd().split('\n').at(-1);
    const ask = async (bearer: string | undefined, subject?: string): Promise<Response> =>
      await fetch(`${first.url}/v1/authorize`, {
        method: 'POST',
        headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          ...(subject === undefined ? {} : { subject_token: subject }),
          action: { name: 'list' },
          resource: { type: 'matter', id: 'M-1001', properties: { client_id: 'C-100' } },
          context: { network_zone: 'office' },
        }),
      });
    const person = await token('--person', 'u-lind');
    const caller = await token('--caller', 'dms');
    for (const response of [
      await ask(person),
      await ask(caller, person),
      await ask(await token('--person', 'u-lind', '--caller', 'search')),
    ]) {
      t.equal(response.status, 200);
      t.match(await response.json(), { decision: true });
    }
    t.equal((await ask(caller)).status, 403, 'a caller alone asks about nobody');
    t.equal((await ask(`${person}x`)).status, 401);
  });

  await t.test('edited policies: mistakes are shown, good ones are loaded', async (t) => {
    await writeFile(path.join(policies, 'rules', 'new.yaml'), 'version: 1\nrules: [{ id: x, effect: permit }]\n');
    await until(() => first.err().includes('rules/new.yaml:2:'), first.err);
    t.match(first.err(), 'policies not loaded');
    t.equal((await fetch(`${first.url}/readyz`)).status, 200, 'the last good policies stay in force');
    await rm(path.join(policies, 'rules', 'new.yaml'));
    await appendFile(path.join(policies, 'firm.yaml'), '\n# edited\n');
    await until(() => first.err().includes('policies loaded'), first.err);
  });

  await t.test('a second start beside it is refused in words', async (t) => {
    const samePort = await privity(['start', ...args.slice(0, -1), new URL(first.url).port]);
    t.equal(samePort.code, 2);
    t.match(samePort.err, `port ${new URL(first.url).port} is in use`);
    const sameState = await privity(['start', ...args]);
    t.equal(sameState.code, 2);
    t.match(sameState.err, /process \d+ uses the database in .*; stop it first/);
  });

  const database = await postgresOf(state);
  t.ok(isAlive(database));
  toGroup(first, 'SIGINT');
  toGroup(first, 'SIGINT');
  t.equal(await first.ended, 0, 'Ctrl-C, which npm passes on a second time, ends it in order');
  t.match(first.err(), `stopped; the data stay in ${state}`);
  t.notOk(isAlive(database), 'and the database with it');

  const second = await start(['npm', 'start', '--'], args);
  all.push(second);
  const again = commandsIn(second.out()).at(-1) ?? '';
  const reader = /-H '(authorization: Bearer [^']+)'/.exec(again)?.[1] ?? '';
  const read = (url: string): number =>
    Number(
      paste(
        `curl -s -o /dev/null -w '%{http_code}' -H '${reader}' ${ids.map((id) => `${url}/v1/decisions/${id}`).join(' -o /dev/null ')}`,
      ).slice(0, 3),
    );
  t.equal(read(second.url), 200, 'what was recorded before is still there');

  const orphan = await postgresOf(state);
  toGroup(second, 'SIGKILL');
  await second.ended;
  const third = await start(direct, args);
  all.push(third);
  t.notOk(isAlive(orphan), 'what a kill left behind is cleared away');
  t.equal(read(third.url), 200);
  const last = await postgresOf(state);
  t.ok(isAlive(last));
  toGroup(third, 'SIGTERM');
  t.equal(await third.ended, 0);
  t.notOk(isAlive(last));
});

t.test('what it refuses', async (t) => {
  const state = path.join(t.testdir(), 'state');
  const port = await privity(['start', '--port', '70000', '--state', state]);
  t.equal(port.code, 2);
  t.match(port.err, '`--port 70000` is no port');

  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  const number = address !== null && typeof address === 'object' ? address.port : 0;
  const inUse = await privity(['start', '--port', String(number), '--state', state]);
  taken.close();
  t.equal(inUse.code, 2);
  t.match(inUse.err, new RegExp(`port ${number} is in use\\n {2}stop what uses it, or take another`));
});
