// The policy folder is half-written, deleted, made unreadable, or put there piece by piece, under load: the last good set stays in
// force and answers, readiness and log say what is wrong, and a good set takes over as soon as there is one.
import { chmod, chown, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { type FaultRun, isLong, LIMIT_MS, startFaultRun } from '../helpers/fault-run.ts';
import { launch } from '../helpers/launch.ts';
import { compiled, errorsIn } from '../helpers/policies.ts';
import { createDatabase } from '../helpers/postgres.ts';
import { until } from '../helpers/recorder.ts';
import { PATIENT, whenReadiness } from '../helpers/service.ts';
import type { FirmFiles, ServiceFirm } from '../helpers/service-firm.ts';
import { swapLink } from '../io/policies/folder.ts';
import { decisionsOf } from '../service/exchange.ts';
import { judgeReplay, readKeptSets } from './replay.ts';
import { SMALL_PACK } from './small-pack.ts';

type Json = Readonly<Record<string, unknown>>;

const NOBODY = 65_534;
const IS_ROOT = process.getuid?.() === 0;

t.setTimeout(LIMIT_MS);

/** A set that decides like the starter's and has a revision of its own. */
const marked = (name: string): FirmFiles => ({
  'rules/mark.yaml': JSON.stringify({
    version: 1,
    rules: [
      { id: name, effect: 'deny', actions: ['read'], resources: ['document'], when: { 'resource.matter_id': name } },
    ],
  }),
});

t.test('deleted, unreadable, half there', async (t) => {
  t.setTimeout(LIMIT_MS);
  const { urls, superuserUrl } = await createDatabase(t);
  let link = '';
  const program = { ...launch({ limits: PATIENT }), ...(IS_ROOT && { account: { uid: NOBODY, gid: NOBODY } }) };
  const policiesDir = async (firm: ServiceFirm): Promise<string> => {
    const home = path.dirname(firm.dir);
    link = path.join(home, 'current');
    await swapLink(link, firm.dir);
    // Whoever runs the service may read everything here, unless told otherwise.
    await chmod(home, 0o755);
    if (IS_ROOT) await chown(firm.writerKeyFile, NOBODY, NOBODY);
    return link;
  };
  const run = await startFaultRun(t, { urls, superuserUrl, program, policiesDir });
  const { firm, service } = run;
  const revision = async (): Promise<string> => {
    const from = run.load.exchanges.length;
    // Those that ask at this moment may have begun before.
    await run.calm(12);
    const last = run.load.exchanges
      .slice(from)
      .filter(({ attempt }) => attempt.leaves === 'decisions')
      .flatMap(decisionsOf)
      .at(-1);
    const { policy } = (last?.['context'] ?? {}) as { readonly policy?: Json };
    return String(policy?.['revision']);
  };
  const notReloaded = (): Promise<unknown> =>
    whenReadiness(service, 'degraded', (seen) => seen?.degraded.includes('policies_not_reloaded') === true);
  const well = (): Promise<unknown> => whenReadiness(service, 'well', (seen) => seen?.degraded.length === 0);
  const log = { msg: 'policies not loaded' };
  const publish = async (name: string, spoil: (dir: string) => Promise<void> = async () => {}): Promise<void> => {
    const dir = await firm.variant(marked(name));
    await spoil(dir);
    await swapLink(link, dir);
  };
  /** The fault, how it shows, and that nothing changes until a good set is there. */
  async function suffer(name: string, fault: () => Promise<void>, problem: RegExp): Promise<void> {
    const before = await revision();
    const lines = run.lines(log).length;
    await fault();
    await notReloaded();
    t.equal(await revision(), before, `${name}: the last good set is in force`);
    const said = JSON.stringify(run.lines(log).slice(lines).concat(service.log.slice(-1)));
    t.match(said, problem, `${name}: logged`);
    t.ok((await metrics(run)).includes('privity_degraded{code="policies_not_reloaded"} 1'), `${name}: metric`);
    await publish(`after-${name.replaceAll(' ', '-')}`);
    await well();
    t.not(await revision(), before, `${name}: over without a restart`);
  }

  await suffer('the link is deleted', () => rm(link), /cannot be read: ENOENT/);
  await suffer('the folder is unreadable', () => publish('x', (dir) => chmod(dir, 0o000)), /EACCES/);
  const wall = 'walls/walls.yaml';
  await suffer(
    'a file is unreadable',
    () => publish('x', (dir) => chmod(path.join(dir, wall), 0o000)),
    /walls\/walls.yaml.*may not read this file/,
  );
  if (isLong) {
    await suffer(
      'a file is cut short',
      () =>
        publish('x', async (dir) =>
          writeFile(path.join(dir, 'firm.yaml'), (await readFile(path.join(dir, 'firm.yaml'))).subarray(0, 700)),
        ),
      /./,
    );
  }

  // Written over in place: nobody published that, so nobody is judged by it, although it is a valid set.
  const before = await revision();
  const current = await firm.variant({});
  await swapLink(link, current);
  await until('another set', async () => (await revision()) !== before, LIMIT_MS);
  const whole = await revision();
  const loads = run.lines({ msg: 'policies loaded' }).length;
  await rm(path.join(current, wall));
  await writeFile(path.join(current, 'rules/mark.yaml'), 'version: 1\nrules: []\n');
  await sleep(2_500);
  t.equal(await revision(), whole, 'written over in place: nothing changes');
  t.equal(run.lines({ msg: 'policies loaded' }).length, loads);

  t.strictSame(run.failures(), [], 'everybody was answered');
  const { records } = await run.conclude();
  const kept = await readKeptSets(superuserUrl);
  t.strictSame(judgeReplay(records, kept).slice(0, 5), [], 'and as the set says that the record names');
  t.ok(
    kept.every(({ manifest }) => wall in manifest),
    'no set without its walls was ever in force',
  );
});

t.test('no link: a folder is put there piece by piece', async (t) => {
  t.setTimeout(LIMIT_MS);
  const { urls, superuserUrl } = await createDatabase(t);
  let plain = '';
  const policiesDir = async (firm: ServiceFirm): Promise<string> => {
    plain = path.join(path.dirname(firm.dir), 'plain');
    await cp(firm.dir, plain, { recursive: true });
    return plain;
  };
  const run = await startFaultRun(t, { urls, superuserUrl, limits: PATIENT, policiesDir });
  await run.calm();
  const next = await run.firm.variant(marked('next'));
  await rename(plain, `${plain}.old`);
  const names = (await readdir(next, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(next, path.join(entry.parentPath, entry.name)));
  // The walls come last, and a set without them would be valid.
  for (const name of names.toSorted((a, b) => Number(a.startsWith('walls')) - Number(b.startsWith('walls')))) {
    await mkdir(path.dirname(path.join(plain, name)), { recursive: true });
    await cp(path.join(next, name), path.join(plain, name));
    await run.calm(10);
    await sleep(60);
  }
  await until('the new set is in force', () => run.lines({ msg: 'policies loaded' }).length > 1, 60_000);
  await run.calm();
  t.strictSame(run.failures(), [], 'everybody was answered');
  await run.conclude();
  const kept = await readKeptSets(superuserUrl);
  t.equal(kept.length, 2, 'the set before and the whole one');
  t.ok(kept.every(({ manifest }) => 'walls/walls.yaml' in manifest));
});

t.test('why a set has to be published whole: what is cut short may be valid', async (t) => {
  const name = 'data/firm.yaml';
  const text = String(SMALL_PACK[name]);
  const whole = compiled(SMALL_PACK).revision;
  const lines = text.split('\n');
  const valid = lines
    .map((_, count) => lines.slice(0, count).join('\n'))
    .filter((cut) => errorsIn({ ...SMALL_PACK, [name]: cut }).length === 0);
  t.ok(valid.length > 1, `${valid.length} of ${lines.length} beginnings of a data file are data files`);
  t.ok(
    valid.every((cut) => cut.trim() === text.trim() || compiled({ ...SMALL_PACK, [name]: cut }).revision !== whole),
    'but each has a revision of its own, which every record names',
  );
});

async function metrics({ service }: FaultRun): Promise<readonly string[]> {
  return (await (await fetch(`${service.url}/metrics`)).text()).split('\n');
}
