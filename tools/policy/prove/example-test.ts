// A counter-example as an entry of policies/tests/. It must never need more than a copy into the file.
import type { Proof } from './prove.ts';
import type { Case } from './violation.ts';

/** Lines of YAML; none where there is no example. */
export function testOf({ invariant, example }: Proof): readonly string[] {
  if (example === null) return [];
  return testLines({ id: `not-${invariant.id}`, why: invariant.title, case: example.case, expect: 'deny' });
}

export interface ExampleTest {
  readonly id: string;
  readonly why: string;
  readonly case: Case;
  readonly expect: 'allow' | 'deny';
  readonly decidedBy?: readonly string[];
}

export function testLines({ id, why, case: one, expect, decidedBy }: ExampleTest): readonly string[] {
  const { now, claims, action, resource, context = {} } = one;
  return [
    `- id: ${scalar(id)}`,
    `  why: ${scalar(why)}`,
    `  now: ${scalar(now)}`,
    `  claims: ${flow(claims)}`,
    `  action: ${scalar(action)}`,
    `  resource: ${flow(resource)}`,
    ...(Object.keys(context).length === 0 ? [] : [`  context: ${flow(context)}`]),
    `  expect: ${expect}`,
    ...(decidedBy === undefined ? [] : [`  decided_by: ${flow(decidedBy)}`]),
  ];
}

const PLAIN = /^[A-Za-z][\w./-]*$/;
/** Words that YAML 1.1 or 1.2 reads as something else than text. */
const WORDS = new Set(['true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n']);

function scalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return PLAIN.test(value) && !WORDS.has(value.toLowerCase()) ? value : JSON.stringify(value);
}

function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return scalar(value);
  const members = Object.entries(value).map(([name, member]) => `${scalar(name)}: ${flow(member)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}
