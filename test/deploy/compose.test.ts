// compose.yaml, the roles of the database and the units of systemd: what they name exists, what they promise holds.
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { migrate } from '../../src/io/db/migrate.ts';
import { requireSchema } from '../../src/io/db/schema.ts';
import { loadWriterKey } from '../../src/io/log/writer-key.ts';
import { connect, startPrivatePostgres } from '../helpers/postgres.ts';
import { collect, spawnPlain } from '../helpers/processes.ts';
import { decision } from '../helpers/rows.ts';
import { at, readText, readUnit, readYaml, ROOT, SETTINGS, type Json } from './charts.ts';
import { lacks } from './lacks.ts';

const compose = readYaml('compose.yaml');
const services = compose['services'] as Readonly<Record<string, Json>>;
const secrets = compose['secrets'] as Readonly<Record<string, { readonly file: string }>>;

const UNITS = ['deploy/systemd/privity.service', 'deploy/systemd/privity-migrate.service'] as const;

t.test('compose.yaml: restricted services, secrets as files, a database that keeps what it commits', async (t) => {
  for (const [name, service] of Object.entries(services)) {
    t.strictSame(service['cap_drop'], ['ALL'], name);
    t.strictSame(service['security_opt'], ['no-new-privileges:true'], name);
    t.ok(at(service, 'deploy.resources.limits.memory'), `${name} has limits`);
    for (const secret of service['secrets'] as string[]) t.ok(secrets[secret], `${name}: ${secret}`);
    for (const [setting, value] of Object.entries((service['environment'] ?? {}) as Readonly<Record<string, string>>)) {
      if (name !== 'postgres') t.ok(SETTINGS.has(setting), `${name}: ${setting}`);
      const [, secret] = /^\/run\/secrets\/(\w+)$/.exec(value) ?? [];
      if (secret !== undefined) t.ok((service['secrets'] as string[]).includes(secret), `${name} gets ${secret}`);
      t.notMatch(value, /:\/\//, 'no URL stands in the file');
    }
    for (const volume of (service['volumes'] ?? []) as string[]) {
      const [from = ''] = volume.split(':');
      if (from.startsWith('./')) t.ok(await stat(path.join(ROOT, from)), from);
    }
  }
  for (const name of ['privity', 'migrate']) t.equal(services[name]?.['read_only'], true, name);
  t.match(at(services, 'postgres.environment.POSTGRES_INITDB_ARGS'), '--data-checksums');
  t.match(at(services, 'postgres.command'), ['postgres', '-c', 'fsync=on', '-c', 'synchronous_commit=on']);
  t.equal(at(services, 'privity.depends_on.migrate.condition'), 'service_completed_successfully');
  t.notOk((at(services, 'privity.secrets') as string[]).includes('owner_url'), 'the service never sees the owner');
});

const DOCKERFILE = readText('Dockerfile');
const entrypoint = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(DOCKERFILE)?.[1] ?? '[]') as string[];
/** What Node runs under when it may make files safe. */
const withFsync = entrypoint.filter((flag) => !/^--(?:permission|allow-|disable-warning)/.test(flag));

t.test('what is kept lies on volumes, in folders of the image that are its account’s', async (t) => {
  const folders = (text: unknown): readonly string[] => (text as string[]).flatMap((one) => one.split(':')[1] ?? []);
  const kept = at(services, 'privity.environment') as Readonly<Record<string, string>>;
  t.ok(folders(at(services, 'privity.volumes')).includes(kept['CHECKPOINT_DIR'] ?? '-'));
  const spool = readYaml('deploy/compose/spool.yaml');
  const folder = at(spool, 'services.privity.environment.SPOOL_DIR');
  t.equal(at(spool, 'services.privity.environment.AUDIT_ON_FAILURE'), 'spool');
  t.strictSame(folders(at(spool, 'services.privity.volumes')), [folder]);
  t.strictSame(at(spool, 'services.privity.entrypoint'), withFsync, 'the image’s own program, with fsync');
  for (const name of Object.keys(spool['volumes'] as Json)) t.notOk(name in (compose['volumes'] as Json), name);
  const made = /^RUN install -d -o (\d+) -g (\d+) -m 0700 (.*)$/m.exec(DOCKERFILE);
  t.match(DOCKERFILE, `USER ${made?.[1]}:${made?.[2]}`);
  for (const one of [folder, kept['CHECKPOINT_DIR']]) t.ok(made?.[3]?.split(' ').includes(String(one)), String(one));
  for (const setting of Object.keys(at(spool, 'services.privity.environment') as Json))
    t.ok(SETTINGS.has(setting), setting);
});

t.test('drop-ins of systemd: sealing and spool mode', async (t) => {
  const unit = readUnit(UNITS[0]);
  const states = unit.get('StateDirectory')?.[0]?.split(' ') ?? [];
  for (const name of ['deploy/systemd/sealing.conf', 'deploy/systemd/spool.conf']) {
    const dropIn = readUnit(name);
    const credentials = (dropIn.get('LoadCredential') ?? []).map((one) => one.split(':')[0]);
    for (const line of dropIn.get('Environment') ?? []) {
      const [setting = '', value = ''] = line.split('=');
      t.ok(SETTINGS.has(setting), `${name}: ${setting}`);
      if (value.startsWith('%d/')) t.ok(credentials.includes(value.slice(3)), `${name}: ${value}`);
      if (value.startsWith('%S/')) t.ok(states.includes(value.slice(3)), `${name}: ${value}`);
    }
  }
  const [reset, program] = readUnit('deploy/systemd/spool.conf').get('ExecStart') ?? [];
  t.equal(reset, '');
  const flags = withFsync.slice(1, -1).join(' ');
  t.equal(program, `/usr/bin/node ${flags} /opt/privity/bin/privity.mjs serve`);
  // The permission model lets it write nowhere else; without it, the unit does.
  t.match(unit.get('ExecStart')?.[0], '--allow-fs-write=/var/lib/privity/*');
  t.strictSame(unit.get('ProtectSystem'), ['strict']);
});

t.test(
  'the secrets and roles that are made so are those that work',
  { skip: await lacks('openssl', ['version'], 'openssl is not here') },
  async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'privity-secrets-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const server = await startPrivatePostgres(t, { migrated: false });
    const { hostname, port } = new URL(server.superuserUrl);
    const script = path.join(ROOT, 'deploy', 'compose', 'make-secrets.sh');
    const make = () => collect(spawnPlain('sh', [script, folder, hostname]));
    t.match(await make(), { code: 0 });
    const names = Object.values(secrets).map(({ file }) => path.basename(file));
    t.strictSame(names.toSorted(), (await readdir(folder)).toSorted());
    const read = (name: string): Promise<string> => readFile(path.join(folder, name), 'utf8');
    const before = await read('writer_url');
    t.match(await make(), { code: 0 });
    t.equal(await read('writer_url'), before, 'a second run changes nothing');
    t.equal((await stat(folder)).mode & 0o777, 0o700);
    if (process.getuid?.() === 0) {
      for (const key of ['writer_key', 'checkpoint_key']) t.ok(await loadWriterKey(path.join(folder, key)), key);
      t.not(await read('writer_key'), await read('checkpoint_key'));
    }

    const superuser = await connect(t, server.superuserUrl);
    // As in a container that has just been made: no role but the administrator’s.
    await superuser.query('create database firm');
    for (const role of ['owner', 'writer', 'reader', 'sealer']) {
      await superuser.query(`alter role privity_${role} rename to former_${role}`);
    }
    const administrator = await connect(t, server.superuserUrl.replace(/\/\w+$/, '/firm'));
    const roles = readText('deploy/postgres/roles.sql');
    await t.rejects(administrator.query(roles), { message: 'the setting privity.owner_password is missing' });
    for (const role of ['owner', 'writer', 'reader', 'sealer']) {
      await administrator.query('select set_config($1, $2, false)', [
        `privity.${role}_password`,
        await read(`${role}_password`),
      ]);
    }
    await administrator.query(roles);
    await administrator.query(roles);
    const url = async (role: string): Promise<string> => {
      const given = new URL(await read(`${role}_url`));
      Object.assign(given, { port, pathname: '/firm' });
      return given.href;
    };
    await migrate({ url: await url('owner') });
    for (const role of ['writer', 'reader', 'sealer']) {
      const client = await connect(t, await url(role));
      await t.resolves(requireSchema(client), role);
      await t.rejects(client.query('create table mine (x int)'), { code: '42501' }, role);
    }
    const writer = await connect(t, await url('writer'));
    await t.resolves(writer.query(...decision().insert));
    const stranger = new URL(server.superuserUrl);
    await administrator.query(`create role stranger login password 'secret'`);
    Object.assign(stranger, { username: 'stranger', password: 'secret', pathname: '/firm' });
    await t.rejects(connect(t, stranger.href), { code: '42501' }, 'nobody else may even connect');
  },
);

t.test('the units of systemd: hardened, secrets as credentials', async (t) => {
  for (const name of UNITS) {
    const unit = readUnit(name);
    const credentials = (unit.get('LoadCredential') ?? []).map((one) => one.split(':')[0]);
    for (const line of unit.get('Environment') ?? []) {
      const [setting = '', value = ''] = line.split('=');
      if (setting !== 'NODE_ENV') t.ok(SETTINGS.has(setting), `${name}: ${setting}`);
      if (value.startsWith('%d/')) t.ok(credentials.includes(value.slice(3)), `${name}: ${value}`);
    }
    const yes = [
      'DynamicUser',
      'NoNewPrivileges',
      'PrivateTmp',
      'PrivateDevices',
      'ProtectHome',
      'RestrictNamespaces',
      'LockPersonality',
    ];
    for (const setting of yes) t.strictSame(unit.get(setting), ['yes'], `${name}: ${setting}`);
    t.strictSame(unit.get('ProtectSystem'), ['strict']);
    t.strictSame(unit.get('CapabilityBoundingSet'), ['']);
    t.strictSame(unit.get('MemoryDenyWriteExecute'), ['no'], 'V8 compiles while it runs');
    const flags = /^ENTRYPOINT (.*)$/m.exec(readText('Dockerfile'))?.[1] ?? '[]';
    const program = (JSON.parse(flags) as string[]).slice(1, -1).join(' ');
    t.match(
      unit.get('ExecStart')?.[0],
      `/usr/bin/node ${program} /opt/privity/bin/privity.mjs`,
      'the flags of the image',
    );
  }
});

t.test(
  'systemd takes the units, and finds little exposed',
  { skip: await lacks('systemd-analyze', ['--version'], 'systemd-analyze is not here') },
  async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'privity-units-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const copies: string[] = [];
    for (const name of UNITS) {
      const copy = path.join(folder, path.basename(name));
      await cp(path.join(ROOT, name), copy);
      // Programs that are not on this machine would be the only thing it complains of.
      const text = (await readFile(copy, 'utf8'))
        .replaceAll('/usr/bin/node', process.execPath)
        .replaceAll('/opt/privity', ROOT);
      await writeFile(copy, text.replace(/^Documentation=.*\n/m, ''));
      copies.push(copy);
    }
    const verified = await collect(spawnPlain('systemd-analyze', ['verify', '--man=no', ...copies]));
    t.match(verified, { code: 0 });
    t.notMatch(verified.output, /privity/, 'not a word about the units');
    for (const copy of copies) {
      const judged = await collect(
        spawnPlain('systemd-analyze', ['security', '--offline=true', '--threshold=20', copy]),
      );
      t.match(judged.output, /Overall exposure level for \S+: [01]\.\d OK/);
      t.equal(judged.code, 0);
    }
  },
);
