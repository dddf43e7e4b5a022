// A new grant: its questions, and requests that show what it opens, to nobody else, and not after its end. It must never be approved by whoever
// receives it, nor lack an end.
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { parseTimestamp } from '../../../src/core/time.ts';
import { checkEnd, checkInstant, checkNew, firmChoices, instantOf, nextId } from './choices.ts';
import type { Cases, Draft } from './draft.ts';
import type { Interview } from './interview.ts';
import { asAbout, caseOf, decided, instantsWithin, isDecidedAlike, knownRequests, type Request } from './requests.ts';

interface GrantWords {
  readonly id: string;
  readonly granted_to: string;
  readonly matter_id: string;
  readonly actions: readonly string[];
  readonly valid_from: string;
  readonly valid_until: string;
  readonly approved_by: string;
  readonly reason: string;
}

export async function askGrant(
  interview: Interview,
  set: PolicySet,
  now: number,
  allowsUnknown: boolean,
): Promise<Draft> {
  const { people, matters, actions } = firmChoices(set, allowsUnknown);
  const one = async (question: Parameters<Interview['text']>[0]): Promise<string> =>
    (await interview.text(question)) ?? '';
  const to = await one({ option: 'to', ask: 'Who receives it?', why: 'A grant is for one person', choices: people });
  const matter = await one({
    option: 'matter',
    ask: 'On which matter?',
    why: 'A grant is for one matter',
    choices: matters,
  });
  const allowed = await interview.ask({
    option: 'actions',
    ask: 'Which actions?',
    why: 'Name as few as will do; groups cannot stand here',
    choices: actions,
    many: true,
  });
  const from = instantOf(
    await one({
      ...{
        option: 'from',
        ask: 'From when?',
        otherwise: new Date(now).toISOString().slice(0, 10),
        check: checkInstant,
      },
      why: 'A day such as 2027-03-31 begins at midnight UTC',
    }),
  );
  const until = instantOf(
    await one({
      option: 'until',
      ask: 'Until when?',
      why: 'A grant without an end gives nothing',
      check: checkEnd(now, from),
    }),
  );
  const approver = await one({
    ...{ option: 'approved-by', ask: 'Who approved it?', choices: people },
    why: 'Never the person who receives it: such a grant gives nothing',
    check: (answer) => (answer === to ? `${to} receives it: somebody else must approve it` : null),
  });
  const reason = await one({
    option: 'reason',
    ask: 'What is it for?',
    why: 'For readers only: whoever reviews it later',
  });
  const ids = set.data.grants.entries.map((grant) => String(grant['id']));
  const check = checkNew(ids, /^.{1,256}$/);
  const id = await one({
    option: 'id',
    ask: 'Its id?',
    why: 'It stands in every record that rests on the grant',
    otherwise: nextId(ids, [], 'G-1'),
    check,
  });
  const entry: GrantWords = {
    id,
    granted_to: to,
    matter_id: matter,
    actions: allowed,
    valid_from: from,
    valid_until: until,
    approved_by: approver,
    reason,
  };
  return {
    ...{
      kind: 'grant',
      id,
      root: 'grants',
      entry: { ...entry },
      file: fileOfGrants(set),
      testFile: 'tests/grants.yaml',
    },
    casesFor: (before, after) => grantCases(before, after, entry),
  };
}

function fileOfGrants({ files }: PolicySet): string {
  const holds = files.find(
    ({ path, bytes }) => /^data\/.*\.ya?ml$/.test(path) && /^grants:/m.test(Buffer.from(bytes).toString('utf8')),
  );
  return holds?.path ?? 'data/grants.yaml';
}

function grantCases(before: PolicySet, after: PolicySet, grant: GrantWords): Cases {
  const { id, granted_to: person, matter_id: matter } = grant;
  const [from, until] = [parseTimestamp(grant.valid_from) ?? 0, parseTimestamp(grant.valid_until) ?? 0];
  const opened = openedBy(before, after, grant, from, until);
  if (opened === null)
    return {
      why: `no request was found that the grant opens: ${person} may do this on ${matter} already, or a wall or rule refuses it all the same`,
    };
  const word = id.toLowerCase().replaceAll(/[^a-z0-9_.-]+/g, '-');
  const say = (words: { readonly id: string; readonly why: string }, request: Request) => {
    const decision = decided(after, request);
    return decision === null ? [] : [caseOf(words, request, decision)];
  };
  const tests = [
    ...say({ id: `${word}-opens`, why: `${id} opens it to ${person}.` }, opened),
    ...say({ id: `${word}-after`, why: `${id} has ended.` }, asAbout(before, opened, { now: until })),
  ];
  const other = [...before.data.directory.keys()].find((one) => {
    if (one === person) return false;
    const decision = decided(after, asAbout(before, opened, { person: one }));
    return decision?.outcome === 'deny' && decision.decidedBy.join() === 'default-deny';
  });
  if (other === undefined)
    return { tests, notes: ['nobody was found to whom the same request is denied: there is no test of that'] };
  tests.push(
    ...say(
      { id: `${word}-not-for-others`, why: `${id} is not for ${other}.` },
      asAbout(before, opened, { person: other }),
    ),
  );
  return { tests, notes: [] };
}

function openedBy(before: PolicySet, after: PolicySet, grant: GrantWords, from: number, until: number): Request | null {
  for (const template of knownRequests(before, 'allow')) {
    if (template.resource.properties?.['matter_id'] === undefined) continue;
    for (const action of grant.actions) {
      for (const now of instantsWithin(template, from, until)) {
        const request = asAbout(
          before,
          { ...template, action },
          { person: grant.granted_to, matter: grant.matter_id, now },
        );
        const [open, shut] = [decided(after, request), decided(before, request)];
        if (open?.outcome !== 'allow' || shut?.outcome !== 'deny' || isDecidedAlike(open, shut)) continue;
        if (decided(after, asAbout(before, request, { now: until }))?.outcome === 'deny') return request;
      }
    }
  }
  return null;
}
