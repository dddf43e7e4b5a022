// The report on one matter: who can reach it, and why, against who did. It must never tell anything of a matter that its reader may not
// see, nor name a reason in an access report, which shows none.
import type { ReportSection, ReportWords } from '../../model/audit-report.ts';
import { formatTimestamp } from '../time.ts';
import { periodOf } from './period.ts';
import { everybody, grantsOf, inWords, matterPairs, somebody, spanOf, standingOf } from './reach.ts';
import {
  PAUSE,
  type Period,
  type ReportContext,
  type ReportDefinition,
  type ReportDraft,
  type Want,
} from './report.ts';
import { createDoings, type Doings } from './doings.ts';
import { count, listed, rankedBars, timelineOf } from './tables.ts';

interface Asked {
  readonly matter: string;
  readonly period: Period;
  readonly only: { readonly type?: string; readonly action?: string };
}

export const matterAccess: ReportDefinition = {
  name: 'matter-access',
  title: 'Who can reach this matter, and who did',
  about: 'Who can reach a matter now and by which rules, walls and grants, against who did in a period.',
  params: { matter: 'required', from: 'optional', to: 'optional', resource_type: 'optional', action: 'optional' },
  views: ['log', 'access_report'],
  ask(words, now) {
    const { matter = '', resource_type: type, action } = words;
    const period = periodOf(words, now, { otherwiseDays: 90 });
    const only = { ...(type === undefined ? {} : { type }), ...(action === undefined ? {} : { action }) };
    return {
      asked: { matter, ...askedOnly(words) },
      period,
      matter,
      build: (context) => build({ matter, period, only }, context),
    };
  },
};

function askedOnly({ resource_type: type, action }: ReportWords): Readonly<Record<string, string>> {
  return { ...(type === undefined ? {} : { resource_type: type }), ...(action === undefined ? {} : { action }) };
}

function* build(asked: Asked, context: ReportContext): Generator<Want, ReportDraft | null, void> {
  const { matter, period, only } = asked;
  const { set, view } = context;
  const facts = set.data.matters.get(matter);
  const isOnFile = facts !== undefined && context.shows(matter, facts.clientId);
  const doings = createDoings();
  const days = timelineOf(period, ['allowed', 'denied']);
  const filter = {
    matter,
    kind: 'decision',
    ...(only.type === undefined ? {} : { resource_type: only.type }),
    ...(only.action === undefined ? {} : { action: only.action }),
  };
  yield {
    want: 'rows',
    search: { filter, ...period },
    each(row) {
      doings.add(row);
      days.add(row.at, row.found.outcome === 'allow' ? 0 : 1);
    },
  };
  if (!isOnFile && doings.byPerson.size === 0) return null;

  const people = isOnFile ? yield* judgePeople(asked, context, doings) : null;
  const isLog = view === 'log';
  const did = didTable(doings, people);
  const notes = [
    ...(isOnFile
      ? [HOW]
      : ['The matter is not on file: the log names it, the policies do not, so nobody can be said to reach it.']),
    ...[people?.can.note('people who can reach it'), did.note('people who asked')].filter(
      (one) => typeof one === 'string',
    ),
  ];
  const sections: ReportSection[] = [
    {
      heading: 'In short',
      facts: [
        ...(people === null
          ? []
          : [
              { label: 'can reach it now', value: String(people.can.count) },
              { label: 'of these, did in the period', value: String(people.canAndDid) },
            ]),
        { label: 'did in the period', value: String(doings.allowedPeople()) },
        ...(people === null ? [] : [{ label: 'did, and cannot now', value: String(people.didAndCannot.count) }]),
        { label: 'decisions', value: `${doings.allowed} allowed, ${doings.denied} denied` },
      ],
    },
  ];
  if (people !== null) {
    sections.push({
      heading: 'Who can reach it now',
      note: isLog
        ? 'By the policies in force, whatever device, network or second factor a request may show. Rules are those that let somebody in, or would under the right circumstances.'
        : 'By the policies in force, whatever device, network or second factor a request may show.',
      ...(isLog
        ? {
            chart: rankedBars(
              'People whom each rule lets in, or would under the right circumstances',
              'people',
              people.byRule,
            ),
          }
        : {}),
      table: people.can.table(),
    });
    if (isLog) sections.push(...policySections(asked, context, people));
  }
  sections.push(
    {
      heading: 'Who did',
      chart: doings.chart('Decisions by person', 20),
      table: did.table(),
    },
    { heading: 'When', chart: days.chart('Decisions over time', 'decisions') },
  );
  if (people !== null && people.didAndCannot.count > 0) {
    sections.push({
      heading: 'Who did, and cannot now',
      note: 'They were let in during the period. Today nothing lets them in.',
      table: people.didAndCannot.table(),
    });
  }
  const isComplete = did.isWhole && (people === null || people.can.isWhole);
  return { sections, notes, is_complete: isComplete };
}

const HOW =
  'People are those of the directory, the services, and whoever is named on the matter or in its log. What the directory says of them is ' +
  'believed; a token may say less or more. Everything that a request says is left open: whoever is not listed cannot get in, whoever is ' +
  'listed can in some circumstances.';

interface Judged {
  readonly can: ReturnType<typeof listed>;
  readonly didAndCannot: ReturnType<typeof listed>;
  readonly screened: ReturnType<typeof listed>;
  readonly reaching: ReadonlySet<string>;
  readonly byRule: ReadonlyMap<string, number>;
  readonly canAndDid: number;
}

function* judgePeople(
  { matter, only }: Asked,
  { set, now, view }: ReportContext,
  doings: Doings,
): Generator<Want, Judged, void> {
  const facts = set.data.matters.get(matter);
  const named = [facts?.responsible, facts?.proposing].filter((one) => typeof one === 'string');
  const granted = set.data.grants.find('matter_id', matter).map((grant) => String(grant['granted_to']));
  const all = new Set([...everybody(set), ...named, ...(facts?.team ?? []), ...granted, ...doings.byPerson.keys()]);
  const isLog = view === 'log';
  const can = listed({
    person: 'Person',
    can: 'Can',
    ...(isLog ? { rules: 'By these rules', grants: 'Holds grants' } : {}),
    allowed: 'Did (allowed)',
    denied: 'Was denied',
    last: 'Last',
  });
  const didAndCannot = listed({ person: 'Person', allowed: 'Allowed', first: 'First', last: 'Last' });
  const screened = listed({ person: 'Person', walls: 'Walls', lockdown: 'Lockdown' });
  const reaching = new Set<string>();
  const byRule = new Map<string, number>();
  const pairs = matterPairs(set, only);
  let canAndDid = 0;
  for (const id of [...all].toSorted()) {
    const person = somebody(set, id);
    const standing = standingOf(set, person, matter, now);
    const reach = standing.reach(pairs);
    const did = doings.byPerson.get(id);
    if (reach.can.size > 0) {
      reaching.add(id);
      for (const rule of reach.rules) count(byRule, rule);
      if (did !== undefined && did.allowed > 0) canAndDid += 1;
      const reasons = [reach.rules.join(', '), grantsOf(set, id, matter, now).join(', ')];
      const name = person.isKnown ? id : `${id} (not in the directory)`;
      const last = did === undefined ? null : formatTimestamp(did.last);
      can.add(name, inWords(reach), ...(isLog ? reasons : []), did?.allowed ?? 0, did?.denied ?? 0, last);
    } else if (did !== undefined && did.allowed > 0) {
      didAndCannot.add(id, did.allowed, formatTimestamp(did.firstAllowed), formatTimestamp(did.lastAllowed));
    }
    if (isLog) {
      const { walls, isLocked } = standing;
      if (walls.length > 0 || isLocked) screened.add(id, walls.join(', '), isLocked ? 'yes' : null);
    }
    yield PAUSE;
  }
  return { can, didAndCannot, screened, reaching, byRule, canAndDid };
}

/** Walls and grants: for those alone who may read the log. */
function policySections({ matter }: Asked, { set, now }: ReportContext, { screened }: Judged): ReportSection[] {
  const grants = listed({
    grant: 'Grant',
    person: 'Person',
    actions: 'Actions',
    from: 'From',
    until: 'Until',
    by: 'Approved by',
    state: 'State',
  });
  for (const grant of set.data.grants.find('matter_id', matter)) {
    const { from, until } = spanOf(grant);
    const state = now < from ? 'to come' : now < until ? 'in its time' : 'ended';
    const isOwn = grant['approved_by'] === grant['granted_to'];
    const { actions } = grant;
    grants.add(
      String(grant['id']),
      String(grant['granted_to']),
      Array.isArray(actions) ? actions.join(', ') : null,
      Number.isFinite(from) ? formatTimestamp(from) : null,
      Number.isFinite(until) ? formatTimestamp(until) : 'no end: void',
      String(grant['approved_by']),
      isOwn ? `${state}; approved by the person who got it` : state,
    );
  }
  return [
    {
      heading: 'Who stands behind a wall',
      note: 'A wall or the lockdown keeps them out now, whatever else they hold.',
      table: screened.table(),
    },
    { heading: 'Grants on this matter', table: grants.table() },
  ];
}

function didTable(doings: Doings, people: Judged | null): ReturnType<typeof listed> {
  const table = listed({
    person: 'Person',
    allowed: 'Allowed',
    denied: 'Denied',
    first: 'First',
    last: 'Last',
    actions: 'What',
    ...(people === null ? {} : { now: 'Can now' }),
  });
  for (const [person, did] of doings.ranked()) {
    table.add(
      person,
      did.allowed,
      did.denied,
      formatTimestamp(did.first),
      formatTimestamp(did.last),
      did.actionsInWords(),
      ...(people === null ? [] : [people.reaching.has(person) ? 'yes' : 'no']),
    );
  }
  return table;
}
