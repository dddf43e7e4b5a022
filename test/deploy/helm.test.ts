// The chart. Helm itself renders it where there is one; without it the templates are held against values.yaml, its schema and the
// settings of Privity.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { Ajv } from 'ajv';
import t from 'tap';
import { parseAllDocuments } from 'yaml';
import { at, CHART, readText, readYaml, SETTINGS, templates, type Json } from './charts.ts';
import { lacks } from './lacks.ts';

const VALUES = readYaml('deploy/helm/privity/values.yaml');
/** The least that an installation says. */
const GIVEN = {
  'secrets.databaseUrl.name': 'privity-writer',
  'secrets.databaseReaderUrl.name': 'privity-reader',
  'secrets.databaseOwnerUrl.name': 'privity-owner',
  'secrets.writerKey.name': 'privity-writer-key',
  'policies.git.image': 'git-sync:v4',
  'policies.git.repository': 'https://git.firm.example/policies.git',
};

const SEALING = {
  'secrets.checkpointKey.name': 'privity-checkpoint-key',
  'secrets.databaseSealerUrl.name': 'privity-sealer',
  'sealing.url': 'https://witness.example/privity',
};

/** values.yaml with these members changed. */
function valuesWith(changes: Readonly<Record<string, unknown>>): Json {
  const values = structuredClone(VALUES);
  for (const [dotted, value] of Object.entries(changes)) {
    const names = dotted.split('.');
    const holder = at(values, names.slice(0, -1).join('.')) ?? values;
    Reflect.set(holder as object, names.at(-1) ?? '', value);
  }
  return values;
}

t.test('what a template reads is in values.yaml, and what is there is read', async (t) => {
  const read = new Set<string>();
  for (const [name, text] of templates()) {
    for (const [, dotted = ''] of text.matchAll(/\.Values\.([\w.]+)/g)) {
      t.not(at(VALUES, dotted), undefined, `${name}: .Values.${dotted}`);
      read.add(dotted);
    }
  }
  const isRead = (dotted: string): boolean =>
    [...read].some((one) => one === dotted || one.startsWith(`${dotted}.`) || dotted.startsWith(`${one}.`));
  const visit = (value: unknown, prefix: string): void => {
    for (const [name, inner] of Object.entries(value as Json)) {
      t.ok(isRead(`${prefix}${name}`), `${prefix}${name} is read`);
      const isFolder = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
      if (isFolder && !read.has(`${prefix}${name}`)) visit(inner, `${prefix}${name}.`);
    }
  };
  visit(VALUES, '');
});

t.test('every template that is included is there, every block is closed', async (t) => {
  const all = templates()
    .map(([, text]) => text)
    .join('\n');
  const defined = new Set([...all.matchAll(/\{\{-? define "([\w.]+)"/g)].map(([, name]) => name));
  const included = new Set([...all.matchAll(/include "([\w.]+)"/g)].map(([, name]) => name));
  t.strictSame(
    [...included].filter((name) => !defined.has(name)),
    [],
  );
  t.strictSame(
    [...defined].filter((name) => !included.has(name)),
    [],
    'and none for nothing',
  );
  for (const [name, text] of templates()) {
    const actions = [...text.matchAll(/\{\{-?\s*(if|with|range|define|end)\b/g)].map(([, word]) => word);
    t.equal(actions.filter((word) => word === 'end').length * 2, actions.length, name);
  }
});

t.test('settings are Privity’s own, and secrets come as files', async (t) => {
  const text = templates()
    .map(([, one]) => one)
    .join('\n');
  const names = [...text.matchAll(/\{ name: ([A-Z][A-Z0-9_]*), value/g)].map(([, name]) => name ?? '');
  const ours = names.filter((name) => !name.startsWith('GITSYNC_') && name !== 'HOME');
  t.ok(ours.length > 8);
  for (const name of ours) t.ok(SETTINGS.has(name), name);
  for (const name of Object.keys(VALUES['settings'] as Json)) t.ok(SETTINGS.has(name), name);
  // Those that the chart sets cannot be set beside it.
  const schema = readYaml('deploy/helm/privity/values.schema.json');
  const taken = at(schema, 'properties.settings.propertyNames.not.enum') as string[];
  for (const name of ours)
    t.ok(taken.includes(name.replace(/^(.*URL|WEBHOOK_SECRET)_FILE$/, '$1')), `${name} is taken`);
  for (const name of taken) t.ok(SETTINGS.has(name), name);
});

t.test('the schema takes what is right and names what is wrong', async (t) => {
  const schema = readYaml('deploy/helm/privity/values.schema.json');
  const check = new Ajv({ strict: false, allErrors: true }).compile(schema);
  t.ok(check(valuesWith(GIVEN)), JSON.stringify(check.errors));
  t.ok(check(valuesWith({ ...GIVEN, 'policies.source': 'volume', 'policies.volume': { configMap: { name: 'x' } } })));
  t.ok(check(valuesWith({ ...GIVEN, ...SEALING })), JSON.stringify(check.errors));
  t.ok(check(valuesWith({ ...GIVEN, ...SEALING, 'sealing.url': '', 'sealing.volume': { nfs: {} } })));
  t.ok(check(valuesWith({ ...GIVEN, 'spool.enabled': true, 'spool.max': '512MiB' })), JSON.stringify(check.errors));
  const wrong: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    'checkpoints that go nowhere': { ...GIVEN, ...SEALING, 'sealing.url': '' },
    'checkpoints without the sealer’s account': { ...GIVEN, ...SEALING, 'secrets.databaseSealerUrl.name': '' },
    'a journal among settings': { ...GIVEN, settings: { SPOOL_DIR: '/tmp' } },
    'half a size': { ...GIVEN, 'spool.enabled': true, 'spool.size': 'large' },
    'no secret': { ...GIVEN, 'secrets.databaseUrl.name': '' },
    'no repository': { ...GIVEN, 'policies.git.repository': '' },
    'no volume': { ...GIVEN, 'policies.source': 'volume' },
    'a misspelt member': { ...GIVEN, replica: 3 },
    'a secret among settings': { ...GIVEN, settings: { DATABASE_URL: 'postgres://u:p@h/d' } },
    'half a digest': { ...GIVEN, 'image.digest': 'sha256:12' },
  };
  for (const [name, changes] of Object.entries(wrong)) t.notOk(check(valuesWith(changes)), name);
  t.notOk(check(VALUES), 'the defaults alone are no installation: secrets and policies have to be named');
});

t.test('pods are restricted, and the network lets them reach what they need', async (t) => {
  const text = (name: string): string => templates().find(([one]) => one === name)?.[1] ?? '';
  const helpers = text('_helpers.tpl');
  for (const line of ['runAsNonRoot: true', 'runAsUser: 10001', 'type: RuntimeDefault']) t.match(helpers, line);
  for (const line of ['allowPrivilegeEscalation: false', 'readOnlyRootFilesystem: true', 'drop: [ALL]'])
    t.match(helpers, line);
  for (const name of ['deployment.yaml', 'migration.yaml']) {
    t.match(text(name), 'include "privity.podSecurity"');
    t.match(text(name), 'automountServiceAccountToken: false');
  }
  const containers = [...text('deployment.yaml').matchAll(/- name: (?:privity|policies|policies-first)\n/g)].length;
  t.equal(containers, 4, 'two of git-sync, the service, and the volume');
  t.match(readText('Dockerfile'), 'USER 10001:10001', 'the account is the image’s');
  for (const rule of ['postgres', 'keys', 'webhook', 'git', 'checkpoints'])
    t.match(text('networkpolicy.yaml'), `egress.${rule} `);
  t.match(text('migration.yaml'), /args: \[migrate, --expand\]/);
  t.match(text('migration.yaml'), 'helm.sh/hook: pre-install,pre-upgrade');
  t.equal(
    readText('deploy/helm/privity/files/alerts.yaml'),
    readText('deploy/prometheus/alerts.yaml'),
    'cp deploy/prometheus/alerts.yaml deploy/helm/privity/files/',
  );
  t.equal(
    readYaml('deploy/helm/privity/Chart.yaml')['appVersion'],
    (JSON.parse(readText('package.json')) as Json)['version'],
  );
});

t.test('what is kept lies on volumes, where the service looks for it', async (t) => {
  const text = templates().find(([name]) => name === 'deployment.yaml')?.[1] ?? '';
  for (const [setting, volume] of [
    ['SPOOL_DIR', 'spool'],
    ['CHECKPOINT_DIR', 'checkpoints'],
  ] as const) {
    const folder = new RegExp(`\\{ name: ${setting}, value: (\\S+) \\}`).exec(text)?.[1];
    t.match(text, `- { name: ${volume}, mountPath: ${folder} }`, setting);
    t.match(readText('Dockerfile'), folder ?? '-', 'the image has it, for its account');
  }
  t.match(text, /volumeClaimTemplates:\n\s+- metadata:\n\s+name: spool\n/, 'each pod has a journal of its own');
  t.match(text, 'persistentVolumeClaimRetentionPolicy: { whenDeleted: Retain, whenScaled: Retain }');
  t.match(text, /serviceName: \{\{ include "privity\.name" \. \}\}-metrics/);
  t.match(templates().find(([name]) => name === 'service.yaml')?.[1], /-metrics\n[\s\S]*clusterIP: None/, 'headless');
  const command = /command: \[([^\]]*)\]/.exec(text)?.[1]?.split(', ') ?? [];
  const entry = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(readText('Dockerfile'))?.[1] ?? '[]') as string[];
  const isOfPermissions = (flag: string): boolean => /^--(?:permission|allow-|disable-warning)/.test(flag);
  t.strictSame(
    command,
    entry.filter((flag) => !isOfPermissions(flag)),
    'the image’s own program, with fsync',
  );
});

t.test(
  'helm renders it',
  { skip: await lacks('helm', ['version', '--short'], 'helm is not here: nothing is rendered') },
  async (t) => {
    const flags = Object.entries(GIVEN).flatMap(([name, value]) => ['--set-string', `${name}=${value}`]);
    const render = (...more: string[]) => {
      const text = execFileSync('helm', ['template', 'firm', path.resolve(CHART), ...flags, ...more], {
        encoding: 'utf8',
      });
      return parseAllDocuments(text).map((document) => {
        t.strictSame(document.errors, []);
        return document.toJS() as Json | null;
      });
    };
    const kinds = (documents: readonly (Json | null)[]) =>
      documents.flatMap((one) => (one === null ? [] : [String(one['kind'])])).toSorted();
    const usual = [
      'Deployment',
      'Job',
      'NetworkPolicy',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Service',
      'Service',
      'ServiceAccount',
    ];
    t.strictSame(kinds(render()), usual);
    const all = [
      '--set',
      'tls.secretName=tls,tls.clientCaSecretName=ca,metrics.serviceMonitor.enabled=true,metrics.prometheusRule.enabled=true',
    ];
    t.strictSame(kinds(render(...all)), [...usual, 'PrometheusRule', 'ServiceMonitor'].toSorted());
    const kept = ['--set', 'spool.enabled=true,sealing.volume.persistentVolumeClaim.claimName=kept'];
    const sealing = Object.entries(SEALING).flatMap(([name, value]) => ['--set-string', `${name}=${value}`]);
    const isPod = (one: Json | null): boolean => one?.['kind'] === 'StatefulSet';
    t.match(render(...kept, ...sealing).find(isPod), {
      spec: {
        serviceName: 'firm-privity-metrics',
        volumeClaimTemplates: [{ metadata: { name: 'spool' }, spec: { accessModes: ['ReadWriteOnce'] } }],
        template: { spec: { volumes: [{ name: 'secrets' }, { persistentVolumeClaim: { claimName: 'kept' } }] } },
      },
    });
    execFileSync('helm', ['lint', '--strict', path.resolve(CHART), ...flags], { encoding: 'utf8' });
  },
);
