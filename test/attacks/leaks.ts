// What the tests for leaks share: places that nobody may tell apart, ways to ask about them, and the list of doors, which openapi.yaml
// makes: a door without a case fails. It must never let two answers pass as alike of which an asker could see a difference.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Test } from 'tap';
import { parse } from 'yaml';
import { document, OFFICE } from '../helpers/app.ts';
import { startAttackRig, type Answer, type AttackOptions, type AttackRig, type Json } from '../helpers/attack-rig.ts';
import type { TearsDown } from '../helpers/key-endpoint.ts';
import { visibleOf, type Visible } from './visible.ts';

const WALLS = `walls:
  - { id: W-LOG, kind: exclusion, matter_id: M-1001, excluded_people: [u-audley], valid_from: '2026-01-01T00:00:00Z' }
  - { id: W-GRAY, kind: exclusion, matter_id: M-1003, excluded_people: [u-lind], valid_from: '2026-01-01T00:00:00Z' }
  - { id: W-CLIENT, kind: exclusion, client_id: C-500, excluded_people: [u-voss], valid_from: '2026-01-01T00:00:00Z' }
`;
const {
  matter_id: _matter,
  client_id: _client,
  ...facts
} = document('D-1', { privileged: true })['properties'] as Json;
const values = (all: Json): Json => Object.fromEntries(Object.entries(all).map(([name, value]) => [name, { value }]));
const SITE = {
  request_in: 'original_headers',
  context: values(OFFICE),
  paths: [
    {
      path: '/{client_id}/{matter_id}/{id}',
      resource: 'document',
      actions: { GET: 'read', POST: 'download' },
      properties: values(facts),
    },
  ],
};
/** For the two ways in which callers of the firm ask (`createAsk`). */
const ROUTES = JSON.stringify({ version: 1, routes: ['dms', 'search'].map((caller) => ({ caller, ...SITE })) });
const LOCKDOWN = 'version: 1\npeople: [u-hidden]\nmatters: [M-7001]\nclients: []\ncallers: []\ntokens: []\n';

export function startLeakRig(t: TearsDown, options: AttackOptions = {}): Promise<AttackRig> {
  const files = { 'walls/more.yaml': WALLS, 'lockdown.yaml': LOCKDOWN, 'routes.yaml': ROUTES };
  return startAttackRig(t, { ...options, files });
}

/** u-voss is a partner on the team of M-1001, and screened from it. */
export const PLACES: Readonly<Record<string, readonly [matter: string, client: string]>> = {
  'screened from the matter, on its team': ['M-1001', 'C-100'],
  'not let in by an inclusion wall': ['M-2001', 'C-200'],
  'excluded from the client': ['M-4001', 'C-500'],
  'locked down': ['M-7001', 'C-800'],
  unknown: ['M-9999', 'C-999'],
  'not on the team': ['M-5001', 'C-600'],
};
export const question = ([matter_id, client_id]: readonly [string, string], variant: Json): Json => ({
  action: { name: variant['action'] },
  resource: document('D-1', { matter_id, client_id, ...(variant['properties'] as Json | undefined) }),
  context: { ...OFFICE, ...(variant['context'] as Json | undefined) },
});

/** One answer for all of them, or the names of those that differ. */
export function mustBeAlike(
  t: Test,
  answers: Readonly<Record<string, readonly Answer[]>>,
  what: string,
): Visible | undefined {
  const expected = Object.values(answers).at(-1) ?? [];
  for (const [name, found] of Object.entries(answers))
    t.strictSame(found.map(visibleOf), expected.map(visibleOf), `${what}: ${name}`);
  return expected.map(visibleOf)[0];
}

export async function everywhere(send: (place: readonly [string, string]) => Promise<readonly Answer[]>) {
  const answers: Record<string, readonly Answer[]> = {};
  for (const [name, place] of Object.entries(PLACES)) answers[name] = await send(place);
  return answers;
}

export interface Asking {
  readonly person?: string;
  readonly claims?: Json;
}

export type Ask = (path: string, body: Json, asking?: Asking) => Promise<Answer[]>;

/** As the callers of the firm ask that may not explain: with a person's own token, and with one of its own. */
export function createAsk(rig: AttackRig): Ask {
  return async (path, body, { person = 'u-voss', claims = {} } = {}) => {
    const all = { sub: person, ...claims };
    const id = (): Readonly<Record<string, string>> => ({ 'x-request-id': randomUUID() });
    const search = rig.subjectToken({ aud: 'search', azp: 'search-web', ...all });
    return [
      await rig.post(path, body, { ...id(), authorization: `Bearer ${rig.personToken(all)}` }),
      await rig.post(
        path,
        { subject_token: search, ...body },
        { ...id(), authorization: `Bearer ${rig.callerToken('search-backend')}` },
      ),
    ];
  };
}

export type DoorTag = 'decisions' | 'authzen' | 'log' | 'service';

type Operations = Readonly<
  Record<string, { readonly tags: readonly DoorTag[]; readonly security?: readonly unknown[] }>
>;
const OPENAPI = new URL('../../openapi.yaml', import.meta.url);

/** `METHOD /path` of every door that asks for a token, by its tag. */
export function doorsBehindTokens(): ReadonlyMap<string, DoorTag> {
  const { paths } = parse(readFileSync(OPENAPI, 'utf8')) as { readonly paths: Readonly<Record<string, Operations>> };
  const doors = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { tags, security }]) =>
      security?.length === 0 ? [] : tags.map((tag) => [`${method.toUpperCase()} ${path}`, tag] as const),
    ),
  );
  return new Map(doors);
}

/** A test for each door with these tags; the cases are by door. */
export async function everyDoor(
  t: Test,
  tags: readonly DoorTag[],
  cases: Readonly<Record<string, (t: Test) => Promise<void>>>,
): Promise<void> {
  const doors = [...doorsBehindTokens()].flatMap(([door, tag]) => (tags.includes(tag) ? [door] : []));
  t.strictSame(
    Object.keys(cases).toSorted(),
    doors.toSorted(),
    'every door of openapi.yaml that asks for a token has a case',
  );
  for (const door of doors)
    await t.test(door, (t) => cases[door]?.(t) ?? Promise.reject(new Error('no case for this door')));
}
