// Writes the firm that is measured: the starter pack as it is, moved to the present, and beside it a large firm's matters, teams,
// people, walls and grants. It must never change a rule, nor depend on anything but the seed and the time.
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDice, type Dice } from './random.ts';

export interface Person {
  readonly id: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface Matter {
  readonly id: string;
  readonly client: string;
  readonly status: 'open' | 'closed';
  readonly responsible: string;
  readonly team: readonly string[];
}

export interface Grant {
  readonly person: string;
  readonly matter: Matter;
}

export interface LargeFirm {
  readonly people: readonly Person[];
  readonly matters: readonly Matter[];
  /** Grants to people outside the firm, on open matters. */
  readonly grants: readonly Grant[];
}

export interface FirmOptions {
  readonly dir: string;
  readonly seed: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** JSON Web Key Set of every issuer. */
  readonly keySet: string;
  readonly matters: number;
  readonly people: number;
}

const STARTER = fileURLToPath(new URL('../policies', import.meta.url));
/** The moment in which nearly all cases of policies/tests take place. */
export const STARTER_TIME = Date.parse('2026-03-10T14:00:00Z');
const INSTANT = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g;
const DAY = 86_400_000;
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const GROUPS = ['litigation', 'corporate', 'ip', 'employment', 'tax', 'real_estate'];

/** Every instant in the text, later by so many milliseconds. */
export function shiftInstants(text: string, by: number): string {
  return text.replaceAll(INSTANT, (instant) => new Date(Date.parse(instant) + by).toISOString().replace('.000Z', 'Z'));
}

export async function writeFirm(options: FirmOptions): Promise<LargeFirm> {
  const { dir, seed, now } = options;
  await copyStarter(options);
  const dice = createDice(seed);
  const people = makePeople(dice, options.people, now);
  const idsOf = (role: string) =>
    people.flatMap(({ id, claims }) => (Array.isArray(claims['roles']) && claims['roles'].includes(role) ? [id] : []));
  const staff = people.filter(({ id }) => id.startsWith('u-')).map(({ id }) => id);
  const partners = idsOf('partner');
  const matters = makeMatters(dice, options.matters, partners, staff);
  const outsiders = idsOf('external_counsel');
  const grants = makeGrants(dice, matters, outsiders, staff);
  await writeFile(path.join(dir, 'data', 'people-large.csv'), peopleFile(people));
  await writeFile(path.join(dir, 'data', 'matters-large.csv'), mattersFile(dice, matters));
  await writeFile(path.join(dir, 'data', 'grants-large.csv'), grantsFile(grants, partners, now));
  await writeFile(path.join(dir, 'walls', 'large.yaml'), wallsFile(dice, matters, staff, now));
  return { people, matters, grants: grants.filter(({ person }) => person.startsWith('x-')) };
}

async function copyStarter({ dir, now, keySet }: FirmOptions): Promise<void> {
  await cp(STARTER, dir, { recursive: true });
  await rm(path.join(dir, 'tests'), { recursive: true, force: true });
  for (const folder of ['data', 'walls']) {
    for (const name of await readdir(path.join(dir, folder))) {
      await edit(path.join(dir, folder, name), (text) => shiftInstants(text, now - STARTER_TIME));
    }
  }
  await mkdir(path.join(dir, 'keys'), { recursive: true });
  await writeFile(path.join(dir, 'keys', 'bench.json'), keySet);
  await edit(path.join(dir, 'issuers.yaml'), (text) =>
    text.replaceAll(/keys: \{ url: \S+ \}/g, 'keys: { file: keys/bench.json }'),
  );
  // Cases about the log come through the caller where auditors sign in, which asks nothing else; here it asks them.
  await edit(path.join(dir, 'callers.yaml'), (text) =>
    text.replace(/(source_system: privity\n\s+may: )\[\]/, '$1[authorize]'),
  );
  // Temporary staff are refused outside working hours: whenever the benchmark runs, it is not one of these days.
  const freeDay = DAYS[new Date(now + 3 * DAY).getUTCDay()] ?? '';
  await edit(path.join(dir, 'firm.yaml'), (text) => text.replace(/days: \[mon.*?\]/, `days: [${freeDay}]`));
}

async function edit(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(file, change(await readFile(file, 'utf8')));
}

function makePeople(dice: Dice, count: number, now: number): Person[] {
  const seconds = Math.floor(now / 1000);
  const common = { amr: ['pwd', 'mfa'], auth_time: seconds - 300 };
  return Array.from({ length: count }, (_, index): Person => {
    const number = String(index + 1).padStart(4, '0');
    const kind = index < 4 ? 'partner' : dice.weighted(KINDS);
    if (kind === 'external_counsel') {
      const nda = { nda_expires: instant(now + 300 * DAY), org_id: 'O-1' };
      return { id: `x-l${number}`, claims: { ...common, user_type: 'external', roles: [kind], ...nda } };
    }
    return {
      id: `u-l${number}`,
      claims: {
        ...common,
        user_type: 'internal',
        roles: [kind],
        employee_status: 'active',
        contract_type: 'permanent',
        training_until: instant(now + 200 * DAY),
        practice_groups: [dice.pick(GROUPS)],
        office: 'NYC',
      },
    };
  });
}

const KINDS = { associate: 58, partner: 16, paralegal: 12, legal_secretary: 6, billing: 3, external_counsel: 5 };

function makeMatters(dice: Dice, count: number, partners: readonly string[], staff: readonly string[]): Matter[] {
  return Array.from({ length: count }, (_, index): Matter => {
    const responsible = dice.pick(partners);
    return {
      id: `M-L${String(index + 1).padStart(5, '0')}`,
      client: `C-L${String(1 + dice.below(Math.ceil(count / 5))).padStart(5, '0')}`,
      status: dice.chance(0.85) ? 'open' : 'closed',
      responsible,
      team: [...new Set([responsible, ...dice.some(staff, 2 + dice.below(6))])],
    };
  });
}

/** One for ten matters; half of them to people outside. */
function makeGrants(
  dice: Dice,
  all: readonly Matter[],
  outsiders: readonly string[],
  staff: readonly string[],
): Grant[] {
  const open = all.filter(({ status }) => status === 'open');
  return Array.from({ length: all.length / 10 }, (_, index): Grant => {
    return { person: dice.pick(index % 2 === 0 && outsiders.length > 0 ? outsiders : staff), matter: dice.pick(open) };
  });
}

function peopleFile(people: readonly Person[]): string {
  const rows = people.map(({ id, claims }) => [id, claims['user_type'], claims['roles']].join(','));
  return ['id,directory.user_type,directory.roles[]', ...rows, ''].join('\n');
}

function mattersFile(dice: Dice, matters: readonly Matter[]): string {
  const rows = matters.map(({ id, client, status, responsible, team }) =>
    [id, client, dice.pick(GROUPS), responsible, team.join(';'), status].join(','),
  );
  return ['id,client_id,practice_group,responsible_attorney,team,properties.matter_status', ...rows, ''].join('\n');
}

function grantsFile(grants: readonly Grant[], partners: readonly string[], now: number): string {
  const rows = grants.map(({ person, matter }, index) => {
    const approver = partners.find((partner) => partner !== person) ?? '';
    const period = [instant(now - 30 * DAY), instant(now + 60 * DAY)];
    return [`G-L${index + 1}`, person, matter.id, 'read;list;download', ...period, approver].join(',');
  });
  return ['id,granted_to,matter_id,actions,valid_from,valid_until,approved_by', ...rows, ''].join('\n');
}

/** One for twenty-five matters, of every kind. */
function wallsFile(dice: Dice, matters: readonly Matter[], staff: readonly string[], now: number): string {
  const from = `valid_from: '${instant(now - 100 * DAY)}'`;
  const walls = Array.from({ length: matters.length / 25 }, (_, index) => {
    const [one, other] = [dice.pick(matters), dice.pick(matters)];
    const id = `id: W-L${index + 1}`;
    const people = `[${dice.some(staff, 1 + dice.below(3)).join(', ')}]`;
    switch (dice.weighted({ exclusion: 55, lateral: 15, client: 15, inclusion: 10, opposing: 5 })) {
      case 'exclusion':
        return `{ ${id}, kind: exclusion, reason: former_client, matter_id: ${one.id}, excluded_people: ${people}, ${from} }`;
      case 'lateral':
        return `{ ${id}, kind: exclusion, reason: lateral, matter_id: ${one.id}, excluded_people: ${people}, ${from} }`;
      case 'client':
        return `{ ${id}, kind: exclusion, reason: board_seat, client_id: ${one.client}, excluded_people: ${people}, ${from} }`;
      case 'inclusion': {
        const team = `[${one.team.join(', ')}]`;
        return `{ ${id}, kind: inclusion, matter_id: ${one.id}, included_people: ${team}, acknowledged_by: ${team}, ${from} }`;
      }
      case 'opposing': {
        const [left, right] = [one, other].map(({ id: matter, team }) => {
          return `{ people: [${team.slice(0, 2).join(', ')}], matters: [${matter}] }`;
        });
        return `{ ${id}, kind: opposing, sides: [${left}, ${right}], ${from} }`;
      }
    }
  });
  return `version: 1\nwalls:\n${walls.map((wall) => `  - ${wall}\n`).join('')}`;
}

function instant(ms: number): string {
  return new Date(Math.floor(ms / 1000) * 1000).toISOString();
}
