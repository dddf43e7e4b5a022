import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { openRig } from '../audit/rig.ts';
import { privity, REPOSITORY } from './privity.ts';

const rig = await openRig(t, 40);
const database = { DATABASE_READER_URL: rig.database.urls.reader };
const at = (name: string) => path.join(rig.folder, name);
const proofs = ['--checkpoints', rig.checkpoints, '--key', at('log.vkey'), '--certifier', at('writers.pem')];

t.test('verifies the database, and an export without it', async (t) => {
  const online = await privity(['audit', 'verify', ...proofs], { env: database });
  t.equal(online.code, 0, online.err);
  t.match(online.out, /^intact: nothing was found/);
  t.match(online.out, new RegExp(`proven +${rig.sealed} leaves under signed checkpoints`));
  t.notMatch(online.out, /note/);
  const made = await privity(['audit', 'verification-export', '--out', at('log.gz'), '--gzip'], {
    env: { ...database, LOG_NAME: 'log.firm.example' },
  });
  t.equal(made.code, 0, made.err);
  t.match(made.out, /records, \d+ leaves in .*log\.gz\nsha256 [0-9a-f]{64}\n$/);
  t.equal((await stat(at('log.gz'))).mode & 0o077, 0);
  for (const place of [rig.checkpoints, rig.appended, path.join(rig.checkpoints, 'checkpoint')]) {
    const args = [
      '--export',
      at('log.gz'),
      '--checkpoints',
      place,
      '--key',
      at('log.vkey'),
      '--certifier',
      at('writers.pem'),
    ];
    const offline = await privity(['audit', 'verify', ...args, '--threads', '1']);
    t.match(offline, { code: 0, out: /^intact/ }, place);
  }
  const bare = await privity(['audit', 'verify', '--export', at('log.gz'), '--heads', 'last']);
  t.match(bare, { code: 0, out: /note .*proves nothing\n.*note .*no public key/ });
});

t.test('says what was done, where, and what to do', async (t) => {
  const [writer = ''] = rig.writers[0]?.writers() ?? [];
  await rig.tamper(
    `update decisions set bytes = convert_to(replace(convert_from(bytes, 'utf8'), 'u-lind', 'u-bobb'), 'utf8')
    where writer = $1 and seq in (7, 9)`,
    [writer],
  );
  const told = await privity(['audit', 'verify', ...proofs], { env: database });
  t.equal(told.code, 1);
  t.match(
    told.out,
    /^tampered with: edit\n {2}where {2}record \([0-9a-f-]{36}; writer [0-9a-f-]{36}, sequence number 7; leaf \d+\)\n {2}why /,
  );
  t.match(told.out, /\n {2}do {5}Keep the database/);
  t.match(told.out, /all findings, in the order of the log:\n.*sequence number 7.*\n.*sequence number 9/);
  const json = await privity(['audit', 'verify', ...proofs, '--json'], { env: database });
  t.equal(json.code, 1);
  t.match(JSON.parse(json.out), {
    verdict: 'broken',
    first: { kind: 'edit', place: { writer, seq: 7 } },
    findings: { length: 2 },
  });
  await rig.restore();
  const whole = await readFile(await rig.exportTo('whole.ndjson'), 'utf8');
  await writeFile(at('cut.ndjson'), whole.slice(0, whole.lastIndexOf('{"end"')));
  const args = ['--checkpoints', rig.appended, '--key', at('log.vkey')];
  t.match(await privity(['audit', 'verify', '--export', at('cut.ndjson'), ...args]), {
    code: 1,
    out: /tampered with: cut_tail\n {2}where {2}export/,
  });
  await writeFile(at('other.ndjson'), 'nothing of ours\n');
  t.match(await privity(['audit', 'verify', '--export', at('other.ndjson'), ...args]), {
    code: 1,
    out: /does not begin like/,
  });
});

t.test('wrong usage checks nothing', async (t) => {
  await writeFile(at('wrong.vkey'), 'log.firm.example+00000000+AfxBGStFD3GCsYDrtR2HEH+avyXi9igf2vJFIH/IDAQC\n');
  const cases: readonly (readonly [args: readonly string[], words: RegExp])[] = [
    [[], /there is nothing to verify/],
    [['--checkpoints', rig.checkpoints], /`--checkpoints` needs `--key`/],
    [['--export', at('missing')], /`--export`: ENOENT/],
    [['--export', at('log.gz'), '--key', at('missing')], /`--key`: ENOENT/],
    [['--export', at('log.gz'), '--key', at('wrong.vkey')], /is no verifier key/],
    [['--export', at('log.gz'), '--key', at('log.vkey'), '--checkpoints', at('missing')], /`--checkpoints`: ENOENT/],
    [['--export', at('log.gz'), '--certifier', at('log.vkey')], /holds no Ed25519 public keys/],
    [['--export', at('log.gz'), '--threads', 'many'], /is no number of threads/],
  ];
  for (const [args, words] of cases)
    t.match(await privity(['audit', 'verify', ...args]), { code: 2, err: words }, args.join(' '));
  t.match(await privity(['audit', 'verification-export']), { code: 2, err: /`--out FILE` is missing/ });
  t.match(await privity(['audit', 'verification-export', '--out', at('x')]), {
    code: 2,
    err: /DATABASE_READER_URL is not set/,
  });
  const env = { DATABASE_READER_URL: rig.database.urls.writer };
  t.match(
    await privity(['audit', 'verify'], { env }),
    { code: 2, err: /permission denied/ },
    'no rights are no verdict',
  );
});

t.test('keys are made once, for their owner alone, and their public halves shown', async (t) => {
  const file = at('new-key.pem');
  t.match(await privity(['seal', '--make-key', file]), { code: 0, out: /made .*new-key\.pem/ });
  t.equal((await stat(file)).mode & 0o777, 0o600);
  t.match(await privity(['seal', '--make-key', file]), { code: 2, err: /is there already/ });
  const shown = await privity(['seal', '--print-certifier'], { env: { WRITER_KEY_FILE: file } });
  t.match(shown, { code: 0, out: /^-----BEGIN PUBLIC KEY-----\n[^-]+-----END PUBLIC KEY-----\n$/ });
  t.match(await privity(['seal', '--print-certifier']), { code: 2, err: /WRITER_KEY_FILE is not set/ });
});

t.test('the second verifier runs by itself', async (t) => {
  const { spawnSync } = await import('node:child_process');
  const script = path.join(REPOSITORY, 'tools', 'verify-log.mjs');
  const run = (...args: readonly string[]) => spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  const whole = await rig.exportTo('whole.ndjson');
  const args = ['--checkpoints', rig.checkpoints, '--key', at('log.vkey'), '--certifier', at('writers.pem')];
  t.match(run('--export', whole, ...args), { status: 0, stdout: /^intact/ });
  t.match(run('--export', at('log.gz'), ...args), { status: 0, stdout: /^intact/ });
  t.match(run('--export', at('cut.ndjson'), ...args, '--json'), { status: 1, stdout: /"kind": "cut_tail"/ });
  t.match(run('--export', at('missing'), ...args), { status: 2, stderr: /nothing was checked/ });
  const source = await readFile(script, 'utf8');
  t.match(source, /^#!/);
  for (const name of ['verify-log.mjs', 'verify-log-input.mjs']) {
    const text = await readFile(path.join(REPOSITORY, 'tools', name), 'utf8');
    const imports = [...text.matchAll(/from '([^']+)'/g)].map((match) => match[1] ?? '');
    t.ok(
      imports.every((one) => one.startsWith('node:') || one === './verify-log-input.mjs'),
      `${name} imports nothing of ours`,
    );
    t.ok(text.split('\n').length <= 300);
  }
});
