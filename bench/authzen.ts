// `npm run bench:authzen`: what AuthZEN's words cost beside our own over HTTP, in turns, and how long searches of a large firm take. It must
// never compare figures of two runs, nor time a search whose results it has not asked `decide` about one by one.
import { readFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compilePolicies } from '../src/core/compile.ts';
import { decide } from '../src/core/decide.ts';
import { findEntities, type EntityQuestion, type Sought } from '../src/core/entity-search.ts';
import type { PolicySet } from '../src/core/policy-set.ts';
import { formatDiagnostic } from '../src/core/schema-check.ts';
import { readPolicyFolder } from '../src/io/policies/read.ts';
import { writeFirm, type LargeFirm, type Person } from './data.ts';
import { createIssuer } from './issuer.ts';
import { measure, type Figures, type Target } from './measure.ts';
import type { MixedRequest } from './mix.ts';
import { startGenerator } from './processes.ts';
import { printMachine, say } from './report.ts';
import { openStand } from './stand.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '64' },
    matters: { type: 'string', default: '50000' },
    people: { type: 'string', default: '470' },
    /** 0 leaves the load over HTTP out. */
    load: { type: 'string', default: '1' },
  },
});
const TIMES = 60;
const MOST = 10_000;
const OFFICE = { network_zone: 'office', device_managed: true, country: 'US' };

async function main(): Promise<void> {
  printMachine();
  await searches();
  if (options.load !== '0') await load();
}

async function searches(): Promise<void> {
  const dir = await mkdtemp(path.join(tmpdir(), 'privity-searches-'));
  try {
    say('a firm');
    const now = Date.now();
    const { keySet } = await createIssuer();
    const [matters, people] = [Number(options.matters), Number(options.people)];
    const firm = await writeFirm({ dir, seed: 1, now, keySet, matters, people });
    // A search has no word for a client that differs from matter to matter, so this firm does not ask for it.
    const file = path.join(dir, 'firm.yaml');
    const text = await readFile(file, 'utf8');
    const changed = text.replace('access_report, matter, conflict_report]', 'access_report, conflict_report]');
    if (changed === text) throw new Error('the starter policies say otherwise of client_id');
    await writeFile(file, changed);
    const { files } = await readPolicyFolder(dir, { commit: null });
    const { set, diagnostics } = compilePolicies(files, { commit: null });
    if (set === null) throw new Error(diagnostics.map(formatDiagnostic).join('\n'));
    timeSearches(set, firm, now);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function timeSearches(set: PolicySet, { people, matters }: LargeFirm, now: number): void {
  const withRole = (role: string): Person => {
    const found = people.filter(({ claims }) => Array.isArray(claims['roles']) && claims['roles'].includes(role));
    // Who has a role that the firm's generator does not give is one of its people all the same.
    const [any] = people;
    const one = found[found.length >> 1] ?? any;
    if (one === undefined) throw new Error('nobody is with the firm');
    return found.length > 0 ? one : { ...one, claims: { ...one.claims, roles: [role] } };
  };
  const ask = (sought: Sought): EntityQuestion => ({
    actor: null,
    sourceSystem: 'dms',
    context: OFFICE,
    supports: [],
    now,
    isKnown: true,
    sought,
  });
  const subjectOf = ({ id, claims }: Person) => ({
    id,
    attributes: { ...claims, auth_time: new Date(now).toISOString() },
  });
  const ofMatters = (person: Person, action: string) =>
    ask({ kind: 'resource', type: 'matter', properties: {}, subject: subjectOf(person), action });
  console.log(
    `\n${set.data.matters.size} matters, ${set.rules.length} rules, ${set.walls.all.length} walls; milliseconds`,
  );
  for (const [role, action] of [
    ['associate', 'read'],
    ['partner', 'read'],
    ['paralegal', 'list'],
    ['conflicts_analyst', 'list'],
  ] as const) {
    const person = withRole(role);
    const question = ofMatters(person, action);
    const begun = performance.now();
    const slow = oneByOne(set, question);
    const slowMs = performance.now() - begun;
    const first = timed(() => run(set, question, MOST));
    if (first.value.join() !== slow.slice(0, MOST).join())
      throw new Error(`the search of ${role} finds something else`);
    const all = spread(Array.from({ length: TIMES }, () => timed(() => run(set, question, MOST)).ms));
    const page = spread(Array.from({ length: TIMES }, () => timed(() => run(set, question, 100)).ms));
    console.log(
      `resource search   ${role} (${action}): ${slow.length} found; first ${first.ms.toFixed(1)}, then ${all}; ` +
        `the first hundred ${page}; each asked alone ${slowMs.toFixed(0)}`,
    );
  }
  const partner = withRole('partner');
  const matter = matters.find(({ team }) => team.includes(partner.id)) ?? matters[0];
  const properties = {
    ...{ matter_id: matter?.id, client_id: matter?.client, matter_status: 'open', confidentiality: 'internal' },
    ...{ privileged: false, work_product: false, work_product_internal: false, phi: false, pii: false },
    ...{ export_controlled: false, data_region: 'US', legal_hold: false, state: 'draft', owner: partner.id },
  };
  const resource = { type: 'document', id: 'D-1', properties };
  const actions = ask({ kind: 'action', subject: subjectOf(partner), resource });
  run(set, actions, MOST);
  const times = spread(Array.from({ length: 20 * TIMES }, () => timed(() => run(set, actions, MOST)).ms));
  console.log(
    `action search     ${run(set, actions, MOST).length} of ${set.firm.names.actions.size} actions; ${times}`,
  );
}

function oneByOne(set: PolicySet, { sought, supports: _supports, ...about }: EntityQuestion): readonly string[] {
  if (sought.kind !== 'resource') throw new Error('only matters are searched here');
  const { type, properties, subject, action } = sought;
  const allowed: string[] = [];
  for (const id of set.data.matters.keys()) {
    const request = { ...about, subject, action, resource: { type, id, properties }, approvals: [] };
    if (decide(set, request).outcome === 'allow') allowed.push(id);
  }
  return allowed.sort();
}

function run(set: PolicySet, question: EntityQuestion, limit: number): readonly string[] {
  const work = findEntities(set, question, null, limit);
  let step = work.next();
  while (step.done !== true) step = work.next();
  return step.value.results.map(({ id }) => id);
}

function timed<T>(what: () => T): { readonly ms: number; readonly value: T } {
  const begun = performance.now();
  const value = what();
  return { ms: performance.now() - begun, value };
}

function spread(all: readonly number[]): string {
  const sorted = all.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.ceil(share * sorted.length) - 1] ?? 0).toFixed(2);
  return `median ${at(0.5)} (p90 ${at(0.9)})`;
}

async function load(): Promise<void> {
  const stand = await openStand({ matters: 20_000, people: Number(options.people), seed: 1, environment: {} });
  try {
    const { mix, postgres, requestsFile } = stand;
    // Whoever may only read the log asks neither door.
    const asked = mix.requests.filter(({ caller }) => caller.rights.has('authorize'));
    const write = async (name: string, of: (one: MixedRequest) => object): Promise<string> => {
      const file = path.join(path.dirname(requestsFile), name);
      await writeFile(file, JSON.stringify(asked.map(of)));
      return file;
    };
    const own = await write('own.json', ({ authorization, body }) => ({ authorization, body }));
    const plain = await write('authzen.json', (one) => inOtherWords(one, {}));
    const told = await write('authzen-told.json', (one) => inOtherWords(one, { response_context: true }));
    const service = await stand.launch();
    stand.undo(() => service.stop());
    const generator = startGenerator();
    stand.undo(() => generator.stop());
    const common = {
      generator,
      servicePid: service.pid,
      postgresPid: postgres.pid,
      seconds: Number(options.seconds),
      connections: Number(options.connections),
    };
    const target = (door: string, file: string): Target => ({ ...common, url: service.url + door, requestsFile: file });
    say('the same questions in our words and in AuthZEN’s, in turns');
    const figures = await measure(
      [target('/v1/authorize', own), target('/access/v1/evaluation', plain), target('/access/v1/evaluation', told)],
      Number(options.rounds),
      [],
    );
    const [first] = figures;
    if (first === undefined) throw new Error('nothing was measured');
    console.log('');
    for (const [index, name] of ['/v1/authorize', '/access/v1/evaluation', '  with response_context'].entries()) {
      const one = figures[index];
      if (one === undefined) continue;
      const share = ((100 * rate(one)) / rate(first)).toFixed(1);
      const cpu = ((1_000 * one.cpu.service) / one.answers).toFixed(3);
      const [slowest, fastest] = [Math.min(...one.perSecond), Math.max(...one.perSecond)];
      console.log(
        `${name.padEnd(24)} ${rate(one).toFixed(0)} requests/s (${slowest.toFixed(0)}…${fastest.toFixed(0)}), ${share} %; ` +
          `CPU s per 1,000: ${cpu}`,
      );
    }
  } finally {
    await stand.close();
  }
}

function rate({ answers, seconds }: Figures): number {
  return answers / seconds;
}

function inOtherWords({ authorization, body, request }: MixedRequest, more: object) {
  const { context, ...question } = JSON.parse(body) as { readonly context?: object };
  const subject = { type: 'user', id: request.subject.id };
  return { authorization, body: JSON.stringify({ subject, ...question, context: { ...context, ...more } }) };
}

await main();
