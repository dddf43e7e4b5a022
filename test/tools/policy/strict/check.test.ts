// What a strict check finds, exactly, in folders that are spoilt one way at a time; and that nothing is found where nothing is.
import { globSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { readPolicyFolder } from '../../../../src/io/policies/read.ts';
import { FINDINGS } from '../../../../src/model/findings.ts';
import { LOAD_MISTAKES } from '../../../../src/model/load-mistakes.ts';
import { checkFolder } from '../../../../tools/policy/strict/check.ts';
import { BAD_PACK } from '../../../core/bad-pack.ts';
import type { Files } from '../../../helpers/policies.ts';
import {
  CLEAN_DATA,
  CLEAN_FIRM,
  CLEAN_RULES,
  CLEAN_TESTS,
  cleanFiles,
  strictly,
  TODAY,
  told,
} from '../../../helpers/strict.ts';

const CARE = 'owner: general-counsel\n    review_by: 2027-06-30';

/** More rules; those of these tests that need no test case of their own say so. */
function rules(text: string): Files {
  return cleanFiles({ 'rules/more.yaml': `version: 1\nrules:\n${text}` });
}

function rule(id: string, members: string): string {
  return `  - id: ${id}\n    ${CARE}\n    accept: [{ code: untested-rule, reason: not here }]\n${members.replaceAll(/^/gm, '    ')}\n`;
}

function tested(id: string, members: string): string {
  return rule(id, members).replace('    accept: [{ code: untested-rule, reason: not here }]\n', '');
}

/** Each is a folder, and what must be found in it: all of it, and nothing else. */
const SPOILT: Readonly<Record<string, { readonly files: Files; readonly found: readonly string[] }>> = {
  'words that nothing uses': {
    files: cleanFiles({
      'firm.yaml': CLEAN_FIRM.replace('clerk: Clerk }', 'clerk: Clerk, temp: Temp }')
        .replace(
          '[document, note] }',
          '[document, note], papers: [note] }\n  roles: { staff: [clerk] }\n  actions: { look: [read, list] }',
        )
        .replace('default: false }', 'default: false }\n    colour: { type: string, optional: none }')
        .replace(
          'timezone: UTC }',
          "timezone: UTC }\n  nights: { days: [mon], from: '01:00', until: '02:00', timezone: UTC }",
        )
        .replace('terms:', 'terms:\n  lonely: { $is: at_work }\n  lonelier: { $is: lonely }')
        .replace('advice:\n', "advice:\n  'advice:wait': { text: Wait. }\n")
        .replace('obligations:\n', "obligations:\n  'log:print': { text: Log it. }\n"),
    }),
    found: [
      'role-without-rules firm.yaml:2:42 temp: no rule speaks of the role — write a rule, or remove the role',
      'unused-group firm.yaml:7:43 papers: nothing names the group — use it, or remove it',
      'unused-group firm.yaml:8:12 staff: nothing names the group — use it, or remove it',
      'unused-group firm.yaml:9:14 look: nothing names the group — use it, or remove it',
      'unused-attribute firm.yaml:14:5 resource.colour: no condition reads it — use it, or remove it',
      'unused-calendar firm.yaml:17:3 nights: no condition uses it — use it with `$during`, or remove it',
      'unused-term firm.yaml:19:3 lonely: no rule, term or invariant uses it — use it, or remove it',
      'unused-term firm.yaml:20:3 lonelier: no rule, term or invariant uses it — use it, or remove it',
      'unused-advice firm.yaml:24:3 advice:wait: no deny gives it — give it, or remove it',
      'unused-obligation firm.yaml:27:3 log:print: no allow demands it — demand it, or remove it',
    ],
  },
  'rules that nobody looks after': {
    files: cleanFiles({
      'rules/rules.yaml': `${CLEAN_RULES}  - id: alone
    owner: ' '
    effect: deny
    actions: [edit]
    resources: [matter]
  - id: late
    owner: general-counsel
    review_by: 2026-03-09
    effect: deny
    actions: [list]
    resources: [matter]
`,
    }),
    found: [
      'no-owner rules/rules.yaml:20:5 alone: the rule has no owner — write `owner:` with the office that answers for it',
      'no-review-date rules/rules.yaml:20:5 alone: the rule has no date for its next review — write `review_by:`',
      'untested-rule rules/rules.yaml:20:5 alone: no test case is decided by the rule — add one to tests/ that it decides',
      'untested-rule rules/rules.yaml:25:5 late: no test case is decided by the rule — add one to tests/ that it decides',
      'overdue-review rules/rules.yaml:27:5 late: the review was due on 2026-03-09 — have general-counsel confirm the rule and set the next date',
    ],
  },
  'allows that are too wide': {
    files: rules(
      rule(
        'all',
        `effect: allow\nroles: [clerk]\nactions: any\nresources: { except: [note] }\nwhen: { $is: on_the_team, now: { $lt: '2026-01-01T00:00:00Z' } }`,
      ) +
        rule('open', 'effect: allow\nroles: [partner]\nactions: [edit]\nresources: [content]') +
        rule(
          'half',
          `effect: allow\nactions: any\nresources: [matter]\nroles: [partner]\ncases:\n  - { actions: [edit], when: { $is: on_the_team } }\n  - { actions: { except: [edit] }, when: { $or: [{ $is: on_the_team }, { subject.user_type: internal }] } }`,
        ),
    ),
    found: [
      'wildcard-in-allow rules/more.yaml:9:5 all: the rule allows any action, future ones included — list the actions, or name a group',
      'wildcard-in-allow rules/more.yaml:10:5 all: the rule allows all types of resources but those it names, future ones included — list the resources, or name a group',
      'unbounded-allow rules/more.yaml:12:5 open: the rule has no condition about a matter, a client or a time — add a condition such as `$is: on_the_team`, or a date',
      'unbounded-allow rules/more.yaml:30:9 half: the case has no condition about a matter, a client or a time — add a condition such as `$is: on_the_team`, or a date',
      'wildcard-in-allow rules/more.yaml:30:11 half: the rule allows all actions but those it names, future ones included — list the actions, or name a group',
    ],
  },
  'rules that overlap': {
    files: rules(
      rule(
        'partners',
        'effect: allow\nroles: [partner]\nactions: [list, edit]\nresources: [note, matter]\nwhen: { $is: [on_the_team, at_work] }',
      ) +
        rule(
          'notes',
          'effect: allow\nroles: [partner]\nactions: [read]\nresources: [note]\nwhen: { $is: on_the_team }',
        ) +
        rule('others', 'effect: allow\nroles: [clerk]\nactions: [edit]\nresources: [note]\nwhen: { $is: on_the_team }'),
    ),
    found: [
      'overlapping-allows rules/more.yaml:3:5 partners: for list on note the rule adds nothing: `team` (rules/rules.yaml:3) allows the same — leave them to one of the two rules',
    ],
  },
  'rules that change nothing': {
    files: rules(
      rule(
        'never',
        'effect: deny\nactions: [edit]\nresources: [note]\nwhen: { resource.final: true }\nunless: { resource.final: true }',
      ) +
        rule(
          'shadow',
          'effect: allow\nactions: [edit]\nresources: [note]\nwhen: { $is: on_the_team, resource.final: true }',
        ) +
        tested(
          'twice',
          'effect: deny\nactions: any\nresources: any\nwhen: { resource.final: true }\nadvice: ["advice:ask"]',
        ) +
        rule('within', 'effect: deny\nactions: [edit]\nresources: [note]\nwhen: { resource.final: true }') +
        rule(
          'cases',
          'effect: deny\nactions: [edit]\nresources: [matter]\ncases:\n  - roles: [clerk]\n  - roles: [clerk, partner]',
        ),
    ),
    found: [
      'never-holds rules/more.yaml:11:5 never: the rule is never true: wherever `resource.final is true` (line 10) holds, so does its `unless` — narrow the exception',
      'shadowed-rule rules/more.yaml:12:5 shadow: the rule can never let anybody in: whatever it allows, `twice` (rules/more.yaml:20) refuses — remove it, or make an exception in the deny with `unless`',
      'redundant-rule rules/more.yaml:28:5 within: the rule adds nothing: whatever it refuses, `twice` (rules/more.yaml:20) refuses as well — remove it, or narrow the other one',
      'redundant-case rules/more.yaml:44:9 cases: the case adds nothing: other cases of the rule cover it — remove it, or narrow the others',
      'duplicate-rule rules/rules.yaml:12:5 final: the rule says the same as `twice` (rules/more.yaml:20) — keep one of them',
    ],
  },
  'a list that is too long for YAML': {
    files: cleanFiles({
      'data/long.yaml': `resources:\n${Array.from({ length: 5_001 }, (_, index) => `  - { type: note, id: N-${index} }`).join('\n')}\n`,
    }),
    found: [
      'long-yaml-list data/long.yaml:1:1: resources has 5001 entries — move them to data/resources.csv or data/resources.ndjson',
    ],
  },
  'data that deserves a look': {
    files: cleanFiles({
      'data/data.yaml': `${CLEAN_DATA}people: [{ id: u-ann, directory: { user_type: internal } }]
grants:
  - { id: G-1, granted_to: u-ann, matter_id: M-1, actions: [read], approved_by: u-ann, valid_until: '2027-01-01T00:00:00Z' }
  - { id: G-2, granted_to: u-ben, matter_id: M-9, actions: [read], approved_by: u-ann, valid_until: '2027-01-01T00:00:00Z' }
`,
      'walls/walls.yaml': `walls:
  - { id: W-1, kind: exclusion, matter_id: M-1, excluded_people: [u-ann] }
  - { id: W-2, kind: exclusion, matter_id: M-1 }
  - { id: W-3, kind: inclusion, matter_id: M-1 }
`,
      'retention.yaml': `version: 1
keep: P7Y
approvers: [partner]
classes: [{ id: tax, practice_groups: [tax], keep: P10Y }]
holds: { matters: [M-8] }
`,
      'issuers.yaml': `version: 1
issuers:
  - issuer: http://idp.example
    keys: { url: 'http://idp.example/keys' }
    algorithms: [EdDSA]
    audience: privity
    typ: any
    claims: { id: /sub, client: /client_id, token_id: /jti, roles: /roles, user_type: /user_type }
    may_assert: { ids: ['u-*'], user_types: [internal], roles: [partner] }
`,
    }),
    found: [
      'walled-team-member data/data.yaml:2:32 M-1: `u-ann` is on the team but excluded by W-1 (walls/walls.yaml:2) — the wall wins while it is active; take the person off the team',
      'walled-team-member data/data.yaml:2:32 M-1: `u-ann` is on the team but not let in by W-3 (walls/walls.yaml:4) — the wall wins while it is active; take the person off the team',
      'void-grant data/data.yaml:5:5 G-1: a grant approved by the person who receives it gives nothing — have somebody else approve it',
      'unknown-matter data/data.yaml:6:5 G-2: the matter `M-9` is not registered — the grant gives nothing until it is',
      'unknown-person data/data.yaml:6:16 G-2: `u-ben` is not listed in data/people — check the spelling',
      'unprotected-keys issuers.yaml:4:13 http://idp.example: the keys of http://idp.example are fetched over plain http: whoever is on the way can put in keys of their own, and be anybody — use https://, or a key file',
      'unused-class retention.yaml:4:40 tax: no matter on file is of `tax`',
      'held-unknown retention.yaml:5:20: the matter `M-8` is not on file — the hold counts all the same; is the id right?',
      'untested-rule rules/rules.yaml:3:5 team: no test case is decided by the rule — add one to tests/ that it decides',
      'nobody-excluded walls/walls.yaml:3:5 W-2: the exclusion wall keeps nobody out — list excluded_people',
      'nobody-included walls/walls.yaml:4:5 W-3: the inclusion wall lets nobody in — list included_people',
    ],
  },
};

const UNOWNED = CLEAN_RULES.replace('    owner: general-counsel\n', '');

/** Folders in which something is accepted, rightly or not. */
const ACCEPTED: Readonly<Record<string, { readonly files: Files; readonly found: readonly string[] }>> = {
  'in a rule, until a day': {
    files: cleanFiles({
      'rules/rules.yaml': UNOWNED.replace(
        '  - id: team\n',
        '  - id: team\n    accept: [{ code: no-owner, reason: It is new., until: 2026-03-10 }]\n',
      ),
    }),
    found: [
      'no-owner rules/rules.yaml:3:5 team: the rule has no owner — write `owner:` with the office that answers for it (accepted: It is new.)',
    ],
  },
  'for a file, by item or without, and from firm.yaml for another': {
    files: cleanFiles({
      'rules/rules.yaml': `${UNOWNED.replace('    owner: general-counsel\n', '')}accept:\n  - { code: no-owner, item: team, reason: One. }\n  - { code: no-owner, reason: All. }\n`,
      'data/grants.csv':
        'id,granted_to,matter_id,actions,approved_by\nG-1,u-ann,M-1,read,u-ben\nG-2,u-ann,M-1,read,u-ben\n',
      'firm.yaml': `${CLEAN_FIRM}accept: [{ code: void-grant, file: data/grants.csv, item: G-2, reason: Kept. }]\n`,
    }),
    found: [
      'void-grant data/grants.csv:2:1 G-1: a grant without valid_until gives nothing — add an end date',
      'void-grant data/grants.csv:3:1 G-2: a grant without valid_until gives nothing — add an end date (accepted: Kept.)',
      'no-owner rules/rules.yaml:3:5 team: the rule has no owner — write `owner:` with the office that answers for it (accepted: One.)',
      'no-owner rules/rules.yaml:11:5 final: the rule has no owner — write `owner:` with the office that answers for it (accepted: All.)',
    ],
  },
  'acceptances that do not count': {
    files: cleanFiles({
      'rules/rules.yaml': UNOWNED.replace(
        '  - id: team\n',
        `  - id: team
    accept:
      - { code: no-ownr, reason: Misspelt. }
      - { code: no-owner, reason: ' ' }
      - { code: no-owner, reason: Over., until: 2026-03-09 }
      - { code: no-review-date, reason: There is one. }
      - { code: stale-acceptance, reason: Hush. }
      - { code: wrong-type, reason: It stops a load. }
`,
      ),
    }),
    found: [
      'no-owner rules/rules.yaml:3:5 team: the rule has no owner — write `owner:` with the office that answers for it',
      'unknown-code rules/rules.yaml:5:11 team: `no-ownr` is no finding that can be accepted — did you mean `no-owner`?',
      'no-reason rules/rules.yaml:6:27 team: `no-owner` is accepted without a reason — say why',
      'expired-acceptance rules/rules.yaml:7:42 team: `no-owner` was accepted until 2026-03-09 — mend it, or set a later day after another look',
      'stale-acceptance rules/rules.yaml:8:9 team: nothing is found any more about `team` as `no-review-date` — remove it',
      'unknown-code rules/rules.yaml:9:11 team: `stale-acceptance` is no finding that can be accepted — docs/policy-findings.md lists all codes',
      'unknown-code rules/rules.yaml:10:11 team: `wrong-type` is no finding that can be accepted — docs/policy-findings.md lists all codes',
    ],
  },
};

for (const [what, { files, found }] of Object.entries(ACCEPTED)) {
  t.test(`accepted ${what}`, async (t) => {
    t.strictSame(told(files), found);
  });
}

t.test('what is accepted about one thing is found about another, and never a mistake', async (t) => {
  const accept = 'accept: [{ code: no-owner, item: final, reason: Kept. }]\n';
  const lines = told(cleanFiles({ 'rules/rules.yaml': UNOWNED + accept }));
  t.match(lines, [/^no-owner rules\/rules\.yaml:3:5 team: (?!.*accepted)/, /^stale-acceptance .* about `final`/]);
  const broken = told(
    cleanFiles({
      'rules/rules.yaml': `${CLEAN_RULES.replace('[clerk]', '[clrek]').replace('partner, clerk]', 'partner, clrek]')}accept: [{ code: unknown-role, reason: Kept. }]\n`,
    }),
  );
  t.match(broken[0], /^error .*clrek/);
});

t.test('what one file accepts is found in another; what is accepted twice is stale nowhere', async (t) => {
  const accept = 'accept: [{ code: no-owner, reason: Here. }]\n';
  const members = 'review_by: 2027-06-30\n    effect: deny\n    actions: [edit]\n    resources: [matter]';
  const other = `version: 1\nrules:\n  - id: other\n    accept: [{ code: untested-rule, reason: Not here. }]\n    ${members}\n`;
  const twice = UNOWNED.replace('  - id: team\n', '  - id: team\n    accept: [{ code: no-owner, reason: First. }]\n');
  const lines = told(cleanFiles({ 'rules/rules.yaml': twice + accept, 'rules/more.yaml': other }));
  t.strictSame(
    lines.filter((line) => !line.includes('(accepted')),
    ['no-owner rules/more.yaml:3:5 other: the rule has no owner — write `owner:` with the office that answers for it'],
  );
});

t.test('a part that cannot be read makes no acceptance stale', async (t) => {
  const files = cleanFiles({
    'rules/rules.yaml': CLEAN_RULES.replace(
      '  - id: team\n',
      '  - id: team\n    accept: [{ code: untested-rule, reason: Not here. }]\n',
    ),
    'tests/tests.yaml': 'tests: [',
  });
  t.strictSame(
    told(files).filter((line) => !line.startsWith('error')),
    [],
  );
});

t.test('nothing is found where nothing is', async (t) => {
  t.strictSame(told(cleanFiles()), []);
});

const codesFound = new Set<string>();

for (const [what, { files, found }] of Object.entries(SPOILT)) {
  t.test(what, async (t) => {
    const lines = notAccepted(files);
    for (const line of lines) codesFound.add(line.slice(0, line.indexOf(' ')));
    t.strictSame(lines, found);
  });
}

/** Those that the files do not accept. */
function notAccepted(files: Files): string[] {
  return told(files).filter((line) => !line.includes('(accepted: '));
}

t.test('words count as used wherever they are', async (t) => {
  const firm = CLEAN_FIRM.replace('clerk: Clerk }', 'clerk: Clerk, temp: Temp, buyer: Buyer, checker: Checker }')
    .replace(
      '[document, note] }',
      '[document, note], papers: [note], all: [papers] }\n  actions: { look: [read, list], change: [edit] }\n  roles: { checkers: [checker] }',
    )
    .replace(
      'default: false }',
      'default: false }\n    kept: { type: string, required_for: [{ resources: [all], actions: [change] }], optional: none }\n    legal_hold: { type: boolean, default: false }',
    )
    .replace('terms:', 'terms:\n  stated: { resource.final: true }\n  buyers: { subject.roles: { $has: buyer } }')
    .concat("walls: { conflict_checkers: [checkers], memo_advice: ['advice:read'] }\n")
    .replace('advice:\n', "advice:\n  'advice:read': { text: Read it. }\n");
  const more = rule('buyers', 'effect: deny\nsubjects: [buyers]\nactions: [edit]\nresources: [matter]');
  const files = {
    ...rules(more),
    'firm.yaml': firm,
    'retention.yaml':
      'version: 1\nkeep: P7Y\napprovers: [temp]\nclasses: [{ id: kept, properties: { kept: yes }, keep: P9Y }]\n',
    'invariants/all.yaml':
      'version: 1\ninvariants: [{ id: a, title: A, never: { actions: [look], resources: any, subjects: [stated] } }]\n',
  };
  t.strictSame(notAccepted(files), []);
});

t.test('what narrows a wildcard, and what bounds a rule', async (t) => {
  const allow = (id: string, members: string) =>
    rule(id, `effect: allow\nroles: [clerk]\nresources: [matter]\n${members}`);
  const text =
    allow('narrowed', 'actions: any\nwhen: { $is: on_the_team }\ncases: [{ actions: [read] }, { actions: [list] }]') +
    allow(
      'not-in-a-list',
      'actions: [edit]\nunless: { $or: [{ subject.user_type: client }, { matter.client_id: C-1 }] }',
    ) +
    allow(
      'by-date',
      "actions: [edit]\nwhen: { $or: [{ now: { $lt: '2027-01-01T00:00:00Z' } }, { resource.matter_id: M-1 }] }",
    );
  t.strictSame(
    told(rules(text)).filter((line) => /wildcard|unbounded/.test(line)),
    [],
  );
});

t.test('a time is a time, whose ever it is', async (t) => {
  const firm = CLEAN_FIRM.replace(
    'default: false }',
    'default: false }\n    filed: { type: timestamp, optional: never }',
  );
  const allow = (id: string, when: string) =>
    rule(id, `effect: allow\nroles: [clerk]\nresources: [matter]\nactions: [edit]\nwhen: { resource.filed: ${when} }`);
  const text = allow('recent', '{ $age: { $lte: P1D } }') + allow('day', '{ $during: office_hours }');
  const open = (more: string) =>
    told({ ...rules(more), 'firm.yaml': firm }).filter((line) => line.startsWith('unbounded')).length;
  t.equal(open(text), 0);
  t.equal(open(allow('filed', '{ $exists: true }')), 1);
});

t.test('rules that overlap each other are told once', async (t) => {
  const allow = (id: string, actions: string) =>
    rule(id, `effect: allow\nroles: [clerk]\nactions: [${actions}]\nresources: [matter]\nwhen: { $is: on_the_team }`);
  const lines = told(rules(allow('one', 'read, list') + allow('two', 'list, edit')));
  t.match(
    lines.filter((line) => line.startsWith('overlapping')),
    [/^overlapping-allows rules\/more\.yaml:3:5 one: for list on matter the rule adds nothing: `two`/],
  );
  t.equal(lines.filter((line) => line.startsWith('overlapping')).length, 1);
});

t.test('a duty of its own is a reason to overlap', async (t) => {
  const same =
    'effect: allow\nroles: [partner]\nactions: [read]\nresources: [note]\nwhen: { $is: [on_the_team, at_work], resource.final: false }';
  const overlapping = (text: string) => told(rules(text)).filter((line) => /overlapping|redundant/.test(line)).length;
  t.equal(overlapping(rule('other', same)), 1);
  t.equal(overlapping(rule('other', `${same}\nobligations: ['log:copy']`)), 1);
  const firm = CLEAN_FIRM.replace('obligations:\n', "obligations:\n  'log:more': { text: Log it. }\n");
  const files = { ...rules(rule('other', `${same}\nobligations: ['log:more']`)), 'firm.yaml': firm };
  t.strictSame(notAccepted(files), []);
});

t.test('broken files: every mistake and every finding in one run', async (t) => {
  const files = cleanFiles({
    'tests/tests.yaml': CLEAN_TESTS.replace('expect: allow', 'expect: maybe'),
    'rules/rules.yaml': CLEAN_RULES.replace('    owner: general-counsel\n', ''),
    'invariants/all.yaml': 'version: 1\ninvariants: [{ id: a, title: A }]\n',
  });
  t.strictSame(told(files), [
    'error invariants/all.yaml:2:14 a: `a` must say either what is never allowed, or what is allowed and what that requires — write `never: { … }`, or `allowed: { … }` together with `requires: { … }`',
    'no-owner rules/rules.yaml:3:5 team: the rule has no owner — write `owner:` with the office that answers for it',
    'error tests/tests.yaml:7:5 reads: `expect` must be one of `allow` or `deny`, found the text `maybe`',
  ]);
  const [first, ...more] = told(
    cleanFiles({ 'rules/more.yaml': 'version: 1\nrules: [{ id: x }]\n', 'firm.yaml': 'a: [' }),
  );
  t.match(first, /^error firm\.yaml:1:/);
  t.ok(more.every((line) => line.startsWith('error')));
});

t.test('every code of the table is found in one of these folders', async (t) => {
  const folder = t.testdir({ 'rules.yaml': '', 'firm.yaml': CLEAN_FIRM });
  await mkdir(path.join(folder, 'rules'));
  await writeFile(path.join(folder, 'rules', 'rules.yaml'), CLEAN_RULES);
  const stray = checkFolder(
    { folder: 'policies', ...(await readPolicyFolder(folder)) },
    { isStrict: true, today: TODAY, onProgress: () => undefined },
  );
  const codes = new Set([
    ...codesFound,
    ...stray.findings.map(({ diagnostic }) => diagnostic.code),
    ...Object.values(ACCEPTED).flatMap(({ files }) => strictly(files).map(({ diagnostic }) => diagnostic.code)),
  ]);
  t.strictSame(
    Object.keys(FINDINGS).filter((code) => !codes.has(code)),
    [],
  );
  t.ok(stray.findings.some(({ diagnostic }) => diagnostic.code === 'unused-file' && diagnostic.file === 'rules.yaml'));
});

t.test('every mistake that keeps a folder from loading is in the table', async (t) => {
  const source = globSync('src/{core,io/policies}/*.ts')
    .map((name) => readFileSync(name, 'utf8'))
    .join('\n');
  const table = Object.keys(LOAD_MISTAKES);
  t.strictSame(
    table.filter(
      (code) =>
        !source.includes(`'${code}'`) && !source.includes(`'${code.replace(/^unknown-/, '').replaceAll('-', ' ')}'`),
    ),
    [],
    'each of the table is in the code',
  );
  const literals = source.matchAll(
    /(?:\.error|tell|refuse|problems\.add|folderProblem|unseen)\(\s*(?:[^()']|\([^()]*(?:\([^()]*\)[^()]*)*\))*?'([a-z]+(?:-[a-z]+)+)',/g,
  );
  const codes = new Set([...literals].map(([, code = '']) => code));
  t.ok(codes.size > 60, `${codes.size} codes`);
  const found = strictly(BAD_PACK).filter(({ diagnostic }) => diagnostic.severity === 'error');
  t.ok(found.length > 90);
  for (const { diagnostic } of found) codes.add(diagnostic.code);
  t.strictSame(
    [...codes].filter((code) => !table.includes(code)),
    [],
    'each of the code is in the table',
  );
});
