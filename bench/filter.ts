// `npm run bench:filter`: what a list filter of the full starter pack costs beside one decision, in turns, in the firm as it is and in a large
// one. It must never compare figures of two runs, nor time a filter that was refused unless it says so.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compilePolicies } from '../src/core/compile.ts';
import { decide } from '../src/core/decide.ts';
import { deriveFilter, type FilterForm, type FilterQuestion } from '../src/core/filter/filter.ts';
import type { PolicySet } from '../src/core/policy-set.ts';
import { formatDiagnostic } from '../src/core/schema-check.ts';
import { readPolicyFolder } from '../src/io/policies/read.ts';
import { runAtOnce } from '../src/io/policies/slices.ts';
import { MATTER_COLUMNS } from '../src/model/filter.ts';
import { writeFirm, type Person } from './data.ts';
import { createIssuer } from './issuer.ts';
import { printMachine, say } from './report.ts';

const { values: options } = parseArgs({
  options: {
    matters: { type: 'string', default: '50000' },
    people: { type: 'string', default: '470' },
    times: { type: 'string', default: '300' },
  },
});
const SMALL = 200;
const TIMES = Number(options.times);
const OFFICE = { network_zone: 'office', device_managed: true, country: 'US' };

/** Who lists what. */
const LISTS = [
  ['associate', 'read', 'document'],
  ['partner', 'list', 'document'],
  ['paralegal', 'download', 'document'],
  ['partner', 'list', 'matter'],
  ['partner', 'read', 'time_entry'],
  ['billing', 'list', 'invoice'],
] as const;

async function main(): Promise<void> {
  printMachine();
  const dir = await mkdtemp(path.join(tmpdir(), 'privity-filters-'));
  try {
    for (const matters of [SMALL, Number(options.matters)]) {
      say(`the starter pack in a firm with ${matters} matters`);
      const now = Date.now();
      const { keySet } = await createIssuer();
      const { people } = await writeFirm({ dir, seed: 1, now, keySet, matters, people: Number(options.people) });
      const { files } = await readPolicyFolder(dir, { commit: null });
      const { set, diagnostics } = compilePolicies(files, { commit: null });
      if (set === null) throw new Error(diagnostics.map(formatDiagnostic).join('\n'));
      console.log(
        `\n${set.data.matters.size} matters, ${set.rules.length} rules, ${set.walls.all.length} walls; microseconds`,
      );
      for (const list of LISTS) timeList(set, people, now, list);
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function timeList(
  set: PolicySet,
  people: readonly Person[],
  now: number,
  [role, action, type]: (typeof LISTS)[number],
) {
  const held = people.filter(({ claims }) => Array.isArray(claims['roles']) && claims['roles'].includes(role));
  const person = busiest(set, held) ?? busiest(set, people);
  if (person === undefined) throw new Error('nobody is with the firm');
  const attributes = { ...person.claims, roles: [role], auth_time: new Date(now).toISOString() };
  const about = {
    subject: { id: person.id, attributes },
    actor: null,
    action,
    context: OFFICE,
    sourceSystem: 'dms',
    now,
  };
  const question: FilterQuestion = { ...about, resource: { type, properties: {} } };
  const declared = set.firm.dictionary.declared.filter(({ namespace }) => namespace === 'resource');
  const columns = Object.fromEntries(['id', ...declared.map(({ name }) => name)].map((name) => [name, `d.${name}`]));
  const form: FilterForm = {
    target: 'postgresql',
    mapping: { columns, matters: Object.fromEntries([...MATTER_COLUMNS, 'matter_status'].map((name) => [name, name])) },
    matters: { table: 'matters', id: 'id' },
    firstParameter: 1,
  };
  const derived = runAtOnce(deriveFilter(set, question, form));
  const [matter] = [...set.data.matters].find(([, { team }]) => team.includes(person.id)) ?? [''];
  const resource = { type, id: 'D-1', properties: { matter_id: matter, confidentiality: 'internal' } };
  const request = { ...about, approvals: [], resource };
  const [filters, decisions]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < TIMES; turn++) {
    filters.push(timed(() => runAtOnce(deriveFilter(set, question, form))));
    decisions.push(timed(() => decide(set, request)));
  }
  const teams = [...set.data.matters.values()].filter(({ team }) => team.includes(person.id)).length;
  const [median, slow] = [at(filters, 0.5), at(filters, 0.99)];
  console.log(
    `${action} ${type}, ${role} on ${teams} teams: ${derived.kind}, ${derived.conditions} conditions; ` +
      `median ${median.toFixed(0)}, p99 ${slow.toFixed(0)}; ${(median / at(decisions, 0.5)).toFixed(0)} times one decision`,
  );
}

/** Of these, who is on the most teams. */
function busiest(set: PolicySet, people: readonly Person[]): Person | undefined {
  const teams = new Map<string, number>();
  for (const { team } of set.data.matters.values()) for (const id of team) teams.set(id, (teams.get(id) ?? 0) + 1);
  return people.toSorted((a, b) => (teams.get(b.id) ?? 0) - (teams.get(a.id) ?? 0))[0];
}

function timed(work: () => unknown): number {
  const begun = performance.now();
  work();
  return (performance.now() - begun) * 1_000;
}

function at(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? NaN;
}

await main();
