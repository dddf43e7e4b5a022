// The policies are replaced in a storm, by every way there is: hundreds of good and broken sets under load. Every decision is what the
// very set says that its record names, replayed from the log alone and reckoned without the engine: never of two moments. No broken or
// mixed set is ever in force; the last one stays.
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { PATIENT } from '../helpers/service.ts';
import { startApp, type TestApp } from '../helpers/app.ts';
import { errorsIn } from '../helpers/policies.ts';
import { createDatabase } from '../helpers/postgres.ts';
import { until } from '../helpers/recorder.ts';
import { fill, git, makeFolder, swapLink } from '../io/policies/folder.ts';
import { createRandom } from '../service/random.ts';
import { generateWriterKey } from '../../src/io/log/writer-key.ts';
import { readServiceLog } from '../service/log.ts';
import { createPublicKey, hash } from 'node:crypto';
import { judgeReplay, type KeptSet, readKeptSets } from './replay.ts';
import { BREAKS, CLIENTS_OF, type Files, goodSet, judgeSets, MATTERS, PEOPLE } from './storm-sets.ts';

type Json = Readonly<Record<string, unknown>>;

const isLong = process.env['PRIVITY_LONG'] === '1';
const SETS = isLong ? 1_000 : 60;
const CLIENTS = 3;
const LIMIT_MS = isLong ? 3600_000 : 300_000;
/** The last one, which stays. */
const LAST = 5_000;

t.setTimeout(LIMIT_MS);

interface Storm {
  readonly app: TestApp;
  /** Ends the load and compares everything; returns the sets that were in force. */
  conclude(isInForce: (kept: KeptSet) => boolean): Promise<void>;
  more(answers: number): Promise<void>;
}

async function startStorm(t: Test, environment: Files): Promise<Storm> {
  t.setTimeout(LIMIT_MS);
  const { urls, superuserUrl } = await createDatabase(t);
  const home = await makeFolder(t);
  const writerKey = path.join(home, 'writer.pem');
  const certifier = createPublicKey(await generateWriterKey(writerKey));
  const app = await startApp(t, {
    urls,
    environment: { WRITER_KEY_FILE: writerKey, ...environment },
    extras: { recorder: { limits: PATIENT } },
  });
  const random = createRandom(20_260_310);
  const answers: { readonly id: string; readonly revision: string; readonly decision: boolean }[] = [];
  const failures: unknown[] = [];
  const mixed: unknown[] = [];
  let isOver = false;

  const placeOf = (matter: (typeof MATTERS)[number]) => ({ matter_id: matter, client_id: CLIENTS_OF[matter] });
  const callerToken = app.callerToken('dms');
  const tokens = new Map(PEOPLE.map((person) => [person, app.subjectToken(person)]));
  async function client(): Promise<void> {
    for (let turn = 0; !isOver; turn++) {
      const questions = Array.from({ length: 1 + random.below(4) }, (_, index) => ({
        action: { name: 'read' },
        resource: {
          type: 'document',
          id: `D-${turn}-${index}`,
          properties: placeOf(random.pick(MATTERS)),
        },
      }));
      const response = await app.inject({
        method: 'POST',
        url: '/v1/authorize/batch',
        headers: { authorization: `Bearer ${callerToken}`, 'content-type': 'application/json' },
        payload: JSON.stringify({ subject_token: tokens.get(random.pick(PEOPLE)), evaluations: questions }),
      });
      const { evaluations } = response.json<{ evaluations?: { decision: boolean; context: Json }[] }>();
      if (response.statusCode !== 200 || evaluations?.length !== questions.length) failures.push(response.body);
      const said = (evaluations ?? []).map(({ decision, context }) => ({
        id: String(context['evaluation_id']),
        revision: String((context['policy'] as Json)['revision']),
        decision,
      }));
      if (new Set(said.map(({ revision }) => revision)).size > 1) mixed.push(said);
      answers.push(...said);
      await sleep(2);
    }
  }
  const running = Promise.all(Array.from({ length: CLIENTS }, client));
  t.teardown(() => {
    isOver = true;
    return running;
  });

  return {
    app,
    async more(count) {
      const enough = answers.length + count;
      await until('more answers', () => answers.length >= enough || failures.length > 0, LIMIT_MS);
    },
    async conclude(isInForce) {
      isOver = true;
      await running;
      await app.app.stop();
      const log = await readServiceLog(superuserUrl, certifier);
      const kept = await readKeptSets(superuserUrl);
      t.strictSame(failures, [], 'everybody is answered');
      t.strictSame(mixed, [], 'one request sees one set');
      t.strictSame(log.problems, [], 'every chain verifies, every set was kept');
      const decisions = new Map(log.records.map(({ id, said }) => [id, said]));
      const different = answers.filter(({ id, revision, decision }) => {
        const said = decisions.get(id);
        return said?.['outcome'] !== (decision ? 'allow' : 'deny') || (said['policy'] as Json)['revision'] !== revision;
      });
      t.strictSame(different, [], 'every answer has its record, which says the same');
      t.strictSame(judgeReplay(log.records, kept).slice(0, 5), [], 'every decision is what its set says, replayed');
      const { wrong, told } = judgeSets(log.records, kept, [...Array(SETS + 1).keys(), LAST]);
      t.strictSame(
        wrong.slice(0, 5),
        [],
        'every decision is what the files of its revision say, and of no two moments',
      );
      t.ok(told.size > 3, `${told.size} sets decided`);
      const loaded = log.records.filter(({ kind }) => kind === 'policy_loaded');
      const revisions = new Set(loaded.map(({ said }) => (said['policy'] as Json)['revision']));
      t.strictSame(
        kept.filter((one) => revisions.has(one.revision) && !isInForce(one)).map(({ manifest }) => manifest),
        [],
        'nothing but what was published was ever in force',
      );
      t.comment(`${answers.length} decisions, ${loaded.length} times a set came into force, ${revisions.size} sets`);
    },
  };
}

/** Of what was published: a whole good set, or (DESIGN 4) the rest of one with the lockdown of another. */
function createLedger() {
  const rests = new Set<string>();
  const lockdowns = new Set<string>();
  const parts = (manifest: Readonly<Record<string, string>>): [string, string] => {
    const { 'lockdown.yaml': lockdown = '', ...rest } = manifest;
    return [JSON.stringify(Object.entries(rest).toSorted(([a], [b]) => (a < b ? -1 : 1))), lockdown];
  };
  return {
    publish(files: Files, isGood: boolean): void {
      const manifest = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, hashOf(text)]));
      const [rest, lockdown] = parts(manifest);
      if (isGood) rests.add(rest);
      lockdowns.add(lockdown);
    },
    holds({ manifest }: KeptSet): boolean {
      const [rest, lockdown] = parts(manifest);
      return rests.has(rest) && lockdowns.has(lockdown);
    },
  };
}

const hashOf = (text: string): string => hash('sha256', text);

interface Way {
  readonly environment: Files;
  publish(files: Files): Promise<void>;
}

/** `passes` is told of every state that the folder goes through, before it does. */
type MakeWay = (t: Test, first: Files, passes: (files: Files) => void) => Promise<Way>;

const WAYS: Readonly<Record<string, MakeWay>> = {
  'links swapped': async (t, first) => {
    const home = await makeFolder(t);
    const link = path.join(home, 'current');
    let count = 0;
    const publish = async (files: Files): Promise<void> => {
      const dir = path.join(home, `set-${(count += 1)}`);
      await mkdir(dir);
      await fill(dir, files);
      await swapLink(link, dir);
    };
    await publish(first);
    return { environment: { POLICIES_DIR: link }, publish };
  },
  'commits on a branch': async (t, first) => {
    const dir = await makeFolder(t);
    git(dir, 'init', '-q', '-b', 'main');
    const publish = async (files: Files): Promise<void> => {
      git(dir, 'rm', '-q', '-r', '-f', '--cached', '--ignore-unmatch', '.');
      for (const name of Object.keys(goodSet(0))) await writeFile(path.join(dir, name), '').catch(() => undefined);
      await fill(dir, files);
      for (const name of Object.keys(files)) git(dir, 'add', '-f', name);
      git(dir, 'commit', '-q', '-m', 'policies');
    };
    await publish(first);
    return { environment: { POLICIES_DIR: dir, POLICIES_REF: 'main' }, publish };
  },
  'files written over where they are, half by half': async (t, first, passes) => {
    const dir = await makeFolder(t, first);
    let now = first;
    const put = async (name: string, text: string): Promise<void> => {
      now = { ...now, [name]: text };
      passes(now);
      const aside = path.join(dir, `.${name.replace('/', '-')}`);
      await writeFile(aside, text);
      await rename(aside, path.join(dir, name));
      await sleep(3);
    };
    const publish = async (files: Files): Promise<void> => {
      for (const [name, text] of Object.entries(files)) {
        if (now[name] === text) continue;
        await put(name, text.slice(0, text.length / 2));
        await put(name, text);
      }
    };
    return { environment: { POLICIES_DIR: dir }, publish };
  },
};
/** The others take longer for each set. */
const SHARES: Readonly<Record<string, number>> = { 'links swapped': 1 };

for (const [name, makeWay] of Object.entries(WAYS)) {
  const isInPlace = name.startsWith('files');
  t.test(name, async (t) => {
    t.setTimeout(LIMIT_MS);
    const random = createRandom(4);
    const ledger = createLedger();
    ledger.publish(goodSet(0), true);
    const passes = (files: Files): void => ledger.publish(files, errorsIn(files).length === 0);
    const way = await makeWay(t, goodSet(0), passes);
    const storm = await startStorm(t, way.environment);
    const loads: Promise<unknown>[] = [];
    for (let set = 1; set <= SETS * (SHARES[name] ?? (isLong ? 0.2 : 0.4)); set++) {
      const isGood = random.below(3) > 0;
      const files = isGood ? goodSet(set) : random.pick(BREAKS)(goodSet(set));
      ledger.publish(files, isGood);
      // Somebody is looking just then.
      if (random.below(2) === 0) loads.push(storm.app.app.policies.load());
      await way.publish(files);
      // Most sets come into force, some are replaced before anybody has looked.
      loads.push(storm.app.app.policies.load());
      if (random.below(4) > 0) await loads.at(-1);
      await storm.more(random.below(6));
    }
    ledger.publish(BREAKS[0]?.(goodSet(7)) ?? {}, false);
    await way.publish(BREAKS[0]?.(goodSet(7)) ?? {});
    await storm.app.app.policies.load();
    const health = await storm.app.inject({ method: 'GET', url: '/readyz' });
    t.match(health.json(), { status: 'ready', degraded: ['policies_not_reloaded'] }, 'a broken set shows');
    const failed = storm.app.log.filter(({ msg }) => msg === 'policies not loaded');
    t.ok(
      failed.length > 0 && failed.every(({ problems, err }) => (problems as unknown[]).length > 0 || err !== undefined),
      'and is logged',
    );
    ledger.publish(goodSet(LAST), true);
    await way.publish(goodSet(LAST));
    // What nobody published by a link or a commit is nothing that is looked for.
    if (isInPlace) await storm.app.app.policies.load();
    await until('the last set is in force', () => storm.app.app.policies.state().failure === null, LIMIT_MS);
    await storm.more(20);
    await Promise.all(loads);
    await storm.conclude(ledger.holds);
  });
}
