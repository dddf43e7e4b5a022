// A new ethical wall: its questions, and requests that show whom it keeps out, whom it does not, and when. It must never leave out a member
// that was answered.
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { parseTimestamp } from '../../../src/core/time.ts';
import type { WallEntry } from '../../../src/model/data.ts';
import { type Cases, type Draft } from './draft.ts';
import { checkEnd, checkInstant, checkNew, firmChoices, instantOf, nextId } from './choices.ts';
import type { Interview } from './interview.ts';
import {
  asAbout,
  caseOf,
  decided,
  instantsWithin,
  isDecidedAlike,
  knownRequests,
  type About,
  type Request,
} from './requests.ts';

const KINDS = new Map([
  ['exclusion', 'named people get nothing of a matter or client'],
  ['inclusion', 'only named people get in (need to know)'],
  ['opposing', 'two sides, neither reaches the matters of the other'],
]);
const MINUTE = 60_000;

export async function askWall(
  interview: Interview,
  set: PolicySet,
  now: number,
  allowsUnknown: boolean,
): Promise<Draft> {
  const { people, matters, clients } = firmChoices(set, allowsUnknown);
  const list = (option: string, ask: string, why: string, optional = false) =>
    interview.ask({ option, ask, why, choices: people, many: true, ...(optional ? { otherwise: null } : {}) });
  const kind = (await interview.text({
    ...{ option: 'kind', ask: 'What kind of wall?', choices: KINDS, otherwise: 'exclusion' },
    why: 'An exclusion keeps named people out, an inclusion lets only named people in, opposing keeps two teams apart',
  })) as WallEntry['kind'];
  const parts: Record<string, unknown> = {};
  if (kind === 'opposing') {
    const side = async (which: string, ask: string) => ({
      people: await list(`${which}people`, `Who is on ${ask}?`, 'They never reach the matters of the other side'),
      matters: await interview.ask({
        option: `${which}matters`,
        ask: `Which matters are those of ${ask}?`,
        why: 'The other side gets nothing of them',
        choices: matters,
        many: true,
      }),
    });
    parts['sides'] = [await side('', 'the one side'), await side('other-', 'the other side')];
  } else {
    const matter = await interview.text({
      ...{
        option: 'matter',
        ask: 'Which matter?',
        choices: matters,
        ...(kind === 'exclusion' ? { otherwise: null } : {}),
      },
      why: kind === 'exclusion' ? 'Leave it empty for a wall round a whole client' : 'Nobody else will know of it',
    });
    if (matter !== null) parts['matter_id'] = matter;
    else {
      const why = 'The wall covers all matters of the client, now and later';
      parts['client_id'] = await interview.text({ option: 'client', ask: 'Which client?', why, choices: clients });
    }
    if (kind === 'exclusion')
      parts['excluded_people'] = await list(
        'excluded',
        'Whom does it keep out?',
        'They get nothing, nor do their assistants, whatever roles and grants they have',
      );
    else {
      parts['included_people'] = await list('included', 'Who may get in?', 'Everybody else is kept out, team or not');
      const acknowledged = await list(
        'acknowledged',
        'Who of them has acknowledged the memo?',
        'Until then they see that it exists, and read nothing',
        true,
      );
      if (acknowledged.length > 0) parts['acknowledged_by'] = acknowledged;
    }
  }
  const reason =
    kind === 'exclusion'
      ? await interview.text({ option: 'reason', ask: 'Why?', why: reasonsOf(set), otherwise: null })
      : null;
  const from = instantOf(
    (await interview.text({
      ...{
        option: 'from',
        ask: 'From when?',
        otherwise: new Date(now).toISOString().slice(0, 10),
        check: checkInstant,
      },
      why: 'A day such as 2027-03-31 begins at midnight UTC; this instant is behind the wall already',
    })) ?? '',
  );
  const until = await interview.text({
    ...{ option: 'until', ask: 'Until when?', otherwise: null, check: checkEnd(now, from) },
    why: 'Left empty it stays until somebody ends it; end a wall, never delete it',
  });
  const memo = await interview.text({
    option: 'memo',
    ask: 'A memo?',
    why: 'For readers only: what the screen rests on',
    otherwise: null,
  });
  const ids = set.walls.all.map((wall) => wall.id);
  const alike = set.walls.all.filter((wall) => wall.kind === kind).map((wall) => wall.id);
  const check = checkNew(ids, /^.{1,256}$/);
  const id =
    (await interview.text({
      option: 'id',
      ask: 'Its id?',
      why: 'It stands in every record that the wall decides',
      otherwise: nextId(ids, alike, 'W-1'),
      check,
    })) ?? '';
  const entry = {
    ...{ id, kind, ...(reason === null ? {} : { reason }), ...parts, valid_from: from },
    ...(until === null ? {} : { valid_until: instantOf(until) }),
    ...(memo === null ? {} : { memo }),
  };
  const file = set.files.findLast(({ path }) => /^walls\/.*\.ya?ml$/.test(path))?.path ?? 'walls/walls.yaml';
  return {
    kind: 'wall',
    id,
    root: 'walls',
    entry,
    file,
    testFile: 'tests/walls.yaml',
    casesFor: (before, after) => wallCases(before, after, id),
  };
}

function reasonsOf({ firm }: PolicySet): string {
  const lateral = [...firm.walls.lateralReasons];
  return `Such as former_client or board_seat${lateral.length === 0 ? '' : `; ${lateral.join(', ')} makes it a screen of a lateral hire`}`;
}

/** Whom a wall might concern, and of which matter or client. */
type Pairs = readonly (About & { readonly person: string })[];

function wallCases(before: PolicySet, after: PolicySet, id: string): Cases {
  const wall = after.walls.all.find((one) => one.id === id);
  if (wall === undefined) return { why: 'the wall was not read' };
  const { keptOut, free } = pairsOf(before, wall);
  const start = Number.isFinite(wall.from)
    ? wall.from
    : (parseTimestamp(knownRequests(before, 'any')[0]?.now ?? '') ?? 0);
  const known = knownRequests(before, 'allow');
  const isNew = (request: Request): boolean => {
    const [now, then] = [decided(after, request), decided(before, request)];
    return now?.outcome === 'deny' && !isDecidedAlike(now, then);
  };
  const shown = best(
    before,
    known,
    keptOut,
    start,
    wall.until,
    isNew,
    (request) => decided(before, request)?.outcome === 'allow',
  );
  if (shown === null)
    return {
      why: 'no request was found that the wall decides: those it names are kept out already, or no test of the firm asks about such a thing',
    };
  const word = id.toLowerCase().replaceAll(/[^a-z0-9_.-]+/g, '-');
  const tests = [say(after, { id: `${word}-keeps-out`, why: `${id} keeps ${shown.pair.person} out.` }, shown.request)];
  const notes: string[] = [];
  const isAllowed = (request: Request): boolean =>
    decided(after, request)?.outcome === 'allow' && isDecidedAlike(decided(after, request), decided(before, request));
  const other = best(before, known, free, start, wall.until, isAllowed, () => true);
  if (other === null)
    notes.push(
      'nobody was found whom the wall leaves alone and who is allowed something there: there is no test of that',
    );
  else
    tests.push(
      say(after, { id: `${word}-leaves-alone`, why: `${id} does not concern ${other.pair.person}.` }, other.request),
    );
  const edges = [
    ...(Number.isFinite(wall.from)
      ? [{ id: `${word}-before`, why: `One minute before ${id} begins.`, now: wall.from - MINUTE }]
      : []),
    ...(Number.isFinite(wall.until) ? [{ id: `${word}-after`, why: `${id} has ended.`, now: wall.until }] : []),
  ];
  for (const { now, ...words } of edges) tests.push(say(after, words, asAbout(before, shown.request, { now })));
  return { tests, notes };
}

function say(set: PolicySet, words: { readonly id: string; readonly why: string }, request: Request) {
  const decision = decided(set, request);
  if (decision === null) throw new Error(`the request of ${words.id} is refused`);
  return caseOf(words, request, decision);
}

/** The first that fits, those preferred before others. */
function best(
  set: PolicySet,
  known: readonly Request[],
  pairs: Pairs,
  from: number,
  until: number,
  fits: (request: Request) => boolean,
  isBetter: (request: Request) => boolean,
): { readonly request: Request; readonly pair: Pairs[number] } | null {
  let second: { readonly request: Request; readonly pair: Pairs[number] } | null = null;
  for (const pair of pairs) {
    for (const template of known) {
      if (pair.matter === null && template.resource.type !== 'client') continue;
      if (
        pair.matter !== null &&
        template.resource.type !== 'matter' &&
        template.resource.properties?.['matter_id'] === undefined
      )
        continue;
      for (const now of instantsWithin(template, from, until)) {
        const request = asAbout(set, template, { ...pair, now });
        if (!fits(request)) continue;
        if (isBetter(request)) return { request, pair };
        second ??= { request, pair };
        break;
      }
    }
  }
  return second;
}

const MOST_PEOPLE = 40;

function pairsOf(
  set: PolicySet,
  wall: PolicySet['walls']['all'][number],
): { readonly keptOut: Pairs; readonly free: Pairs } {
  const everybody = [...set.data.directory.keys()].slice(0, MOST_PEOPLE);
  const team = (matter: string): readonly string[] => set.data.matters.get(matter)?.team ?? [];
  if (wall.kind === 'opposing') {
    const [one, other] = wall.sides;
    if (one === undefined || other === undefined) return { keptOut: [], free: [] };
    const cross = (people: ReadonlySet<string>, matters: ReadonlySet<string>): Pairs =>
      [...people].flatMap((person) => [...matters].map((matter) => ({ person, matter })));
    return {
      keptOut: [...cross(one.people, other.matters), ...cross(other.people, one.matters)],
      free: [...cross(one.people, one.matters), ...cross(other.people, other.matters)],
    };
  }
  const ofClient = [...set.data.matters].flatMap(([matter, { clientId }]) =>
    clientId === wall.client ? [matter] : [],
  );
  const matters: readonly (string | null)[] =
    wall.matter !== null ? [wall.matter] : ofClient.length > 0 ? ofClient.slice(0, 5) : [null];
  const about = (person: string): Pairs =>
    matters.map((matter) => ({ person, matter, ...(wall.client === null ? {} : { client: wall.client }) }));
  const teams = [...new Set(matters.flatMap((matter) => (matter === null ? [] : team(matter))))];
  const isOut = (person: string): boolean =>
    wall.kind === 'exclusion' ? wall.excluded.has(person) : !wall.included.has(person);
  const out = wall.kind === 'exclusion' ? [...wall.excluded] : [...teams, ...everybody].filter(isOut);
  return {
    keptOut: out.flatMap(about),
    free: [...teams, ...everybody].filter((person) => !isOut(person)).flatMap(about),
  };
}
