// `privity doctor` on what has to outlive the process: the journal of spool mode and the places of checkpoints.
import { spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { existsSync, statfsSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { writeCheckpoint } from '../../../src/core/sealing/checkpoint.ts';
import { lockFolder } from '../../../src/io/log/spool/lock.ts';
import { generateWriterKey } from '../../../src/io/log/writer-key.ts';
import { BINARY, environment, REPOSITORY } from '../privity.ts';
import { createPatient } from '../../helpers/doctor.ts';
import { cannotMount, smallFileSystem } from '../../helpers/launch.ts';

const patient = await createPatient(t);
/** Nothing here asks the database. */
const ALONE = { DATABASE_URL: '', DATABASE_READER_URL: '', DATABASE_OWNER_URL: '' };
const noMount = await cannotMount();
const isRoot = process.getuid?.() === 0;
const IN_MEMORY = '/dev/shm';

/** What the check of fsync says under Node's permission model, in which the modules that tap brings along by NODE_OPTIONS cannot live. */
function confined(settings: Readonly<Record<string, string>>): unknown {
  const flags = ['--permission', '--allow-fs-read=*', '--allow-net', '--allow-worker', '--allow-child-process'];
  const args = ['-u', 'NODE_OPTIONS', process.execPath, ...flags, BINARY, 'doctor', '--json'];
  const env = environment({ ...patient.env, ...settings });
  const { stdout, stderr } = spawnSync('env', args, { cwd: REPOSITORY, env, encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly { readonly name: string }[] };
  return checks.find(({ name }) => name === 'journal.fsync');
}

let folders = 0;
async function folder(): Promise<string> {
  const made = path.join(patient.home, `kept-${(folders += 1)}`);
  await mkdir(made);
  return made;
}

const spool = (dir: string) => ({ ...ALONE, AUDIT_ON_FAILURE: 'spool', SPOOL_DIR: dir });

t.test('a journal: its folder, its lock, its room; nothing is changed', async (t) => {
  const dir = await folder();
  const fresh = await patient.diagnose(spool(dir));
  t.equal(fresh.check('journal.folder').verdict, 'ok');
  t.match(fresh.check('journal.lock'), { verdict: 'ok', found: 'nobody has used it yet' });
  t.match(fresh.check('journal.room').found, /^nothing waits; \d+ MiB free/);
  t.equal(fresh.check('journal.fsync').verdict, 'ok');
  t.strictSame(await readdir(dir), []);

  await writeFile(path.join(dir, '0000000000000000.journal'), Buffer.alloc(3 * 2 ** 20));
  const lock = await lockFolder(dir);
  const { bavail, bsize } = statfsSync(dir);
  const used = await patient.diagnose({ ...spool(dir), SPOOL_MAX: `${2 * Math.ceil((bavail * bsize) / 2 ** 20)}MiB` });
  lock?.release();
  if (existsSync('/proc/locks'))
    t.match(used.check('journal.lock').found, new RegExp(`^process ${process.pid} has it`));
  t.match(used.check('journal.room'), { verdict: 'warning', found: /^3 MiB wait for the database; \d+ MiB free, and/ });
  t.match(
    (await patient.diagnose(spool(dir))).check('journal.lock').found,
    existsSync('/proc/locks') ? 'nobody has it' : '',
  );
});

t.test('a journal that cannot be, or would not last', async (t) => {
  const missing = path.join(patient.home, 'missing');
  t.match((await patient.diagnose(spool(missing))).check('journal.folder'), {
    verdict: 'failure',
    found: /ENOENT/,
    todo: /make the folder/,
  });
  const file = await patient.file('a-file', '');
  t.match((await patient.diagnose(spool(file))).check('journal.folder'), {
    verdict: 'failure',
    found: /is not a folder/,
  });
  const dir = await folder();
  t.match(confined({ ...spool(dir) }), {
    name: 'journal.fsync',
    verdict: 'failure',
    found: /--permission/,
  });
  await t.test('no right to write', { skip: isRoot && 'root may write everywhere' }, async (t) => {
    await chmod(dir, 0o500);
    t.match((await patient.diagnose(spool(dir))).check('journal.folder'), { verdict: 'failure', found: /EACCES/ });
  });
});

t.test('volumes that do not outlive a restart', async (t) => {
  await t.test('in memory', { skip: !existsSync(IN_MEMORY) && `there is no ${IN_MEMORY}` }, async (t) => {
    const { check } = await patient.diagnose(spool(IN_MEMORY));
    t.match(check('journal.volume'), { verdict: 'failure', found: /\/dev\/shm is in memory \(tmpfs\)/ });
  });
  await t.test('mounted', { skip: noMount }, async (t) => {
    const dir = path.join(await smallFileSystem(t, '1m'), 'below');
    const { check } = await patient.diagnose({ ...ALONE, ...(await sealing({ CHECKPOINT_DIR: dir })) });
    t.match(check('checkpoints.place'), { verdict: 'failure', found: /is in memory/, todo: /volume that stays/ });
    t.equal(check('checkpoints.published').found, 'nothing is published there yet');
    t.notOk(existsSync(dir), 'and nothing is made');
  });
});

let key = '';
async function sealing(places: Readonly<Record<string, string>>) {
  if (key === '') await generateWriterKey((key = path.join(patient.home, 'checkpoint.pem')));
  return { CHECKPOINT_KEY_FILE: key, LOG_NAME: 'log.firm.example', ...places };
}

t.test('what is published is of these keys and this log', async (t) => {
  const dir = await folder();
  const file = path.join(await folder(), 'checkpoints');
  const env = { ...ALONE, ...(await sealing({ CHECKPOINT_DIR: dir, CHECKPOINT_FILE: file })) };
  const signer = { name: 'log.firm.example', key: createPrivateKey(await readFile(key)) };
  const note = writeCheckpoint({ origin: signer.name, size: 42, root: Buffer.alloc(32) }, [signer]);
  await writeFile(path.join(dir, 'checkpoint'), note);
  await writeFile(file, `${JSON.stringify({ at: new Date(0).toISOString(), note })}\n`);
  const published = async (more: Readonly<Record<string, string>>) => {
    const { checks } = await patient.diagnose({ ...env, ...more });
    return checks.filter(({ name }) => name === 'checkpoints.published');
  };
  t.match(await published({}), [
    { verdict: 'ok', found: '42 records sealed' },
    { verdict: 'ok', found: '42 records sealed' },
  ]);
  const foreign = { verdict: 'failure', found: /no checkpoint that the key signed/, todo: /CHECKPOINT_OLD_KEY_FILE/ };
  const other = path.join(patient.home, 'other.pem');
  await generateWriterKey(other);
  t.match(await published({ CHECKPOINT_KEY_FILE: other }), [foreign, foreign]);
  t.match(await published({ CHECKPOINT_KEY_FILE: other, CHECKPOINT_OLD_KEY_FILE: key }), [
    { verdict: 'ok' },
    { verdict: 'ok' },
  ]);
  t.match(await published({ LOG_NAME: 'another' }), [foreign, foreign]);
  t.match(await published({ CHECKPOINT_DIR: '', CHECKPOINT_FILE: '', CHECKPOINT_URL: 'http://127.0.0.1:9/' }), [
    { verdict: 'failure', found: /cannot be asked/ },
  ]);
});
