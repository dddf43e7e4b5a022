// A counter-example as an entry of policies/tests/. It must never need more than a copy into the file.
import type { Proof } from './prove.ts';

/** Lines of YAML; none where there is no example. */
export function testOf({ invariant, example }: Proof): readonly string[] {
  if (example === null) return [];
  const { now, claims, action, resource, context = {} } = example.case;
  return [
    `- id: ${scalar(`not-${invariant.id}`)}`,
    `  why: ${scalar(invariant.title)}`,
    `  now: ${scalar(now)}`,
    `  claims: ${flow(claims)}`,
    `  action: ${scalar(action)}`,
    `  resource: ${flow(resource)}`,
    ...(Object.keys(context).length === 0 ? [] : [`  context: ${flow(context)}`]),
    '  expect: deny',
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
