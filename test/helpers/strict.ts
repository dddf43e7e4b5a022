// A policies folder in which a strict check finds nothing, for tests that spoil it. It must never hold anything that would be found.
import { checkFolder } from '../../tools/policy/strict/check.ts';
import type { Judged } from '../../tools/policy/strict/accepted.ts';
import { formatDiagnostic } from '../../src/core/schema-check.ts';
import { sourceFiles, type Files } from './policies.ts';

export const TODAY = '2026-03-10';

export const CLEAN_FIRM = `version: 1
roles: { partner: Partner, clerk: Clerk }
actions: { read: Read, list: List, edit: Edit }
resource_types: { document: Document, note: Note, matter: Matter }
source_systems: [dms]
groups:
  resources: { content: [document, note] }
attributes:
  resource:
    matter_id: { type: string, required_for: [{ resources: [content] }], optional: none }
    final: { type: boolean, default: false }
calendars:
  office_hours: { days: [mon, tue, wed, thu, fri], from: '07:00', until: '20:00', timezone: UTC }
terms:
  on_the_team: { matter.team: { $has: '\${subject.id}' } }
  at_work: { now: { $during: office_hours } }
advice:
  'advice:ask': { text: Ask a partner. }
obligations:
  'log:copy': { text: Log it. }
`;

export const CLEAN_RULES = `version: 1
rules:
  - id: team
    owner: general-counsel
    review_by: 2027-06-30
    effect: allow
    roles: [partner, clerk]
    actions: [read, list]
    resources: [content]
    when: { $is: [on_the_team, at_work] }
    obligations: ['log:copy']
  - id: final
    owner: general-counsel
    review_by: 2027-06-30
    effect: deny
    actions: any
    resources: any
    when: { resource.final: true }
    advice: ['advice:ask']
`;

const CASE = `now: '2026-03-10T14:00:00Z'
    claims: { sub: u-ann, roles: [clerk], user_type: internal }
    action: read`;

export const CLEAN_TESTS = `tests:
  - id: reads
    ${CASE}
    resource: { type: note, id: N-1, properties: { matter_id: M-1 } }
    expect: allow
  - id: final-stays
    ${CASE}
    resource: { type: note, id: N-1, properties: { matter_id: M-1, final: true } }
    expect: deny
`;

export const CLEAN_DATA = `matters:
  - { id: M-1, client_id: C-1, team: [u-ann] }
`;

/** With these files instead of, or beside, those in which nothing is found. */
export function cleanFiles(more: Files = {}): Files {
  return {
    'firm.yaml': CLEAN_FIRM,
    'rules/rules.yaml': CLEAN_RULES,
    'tests/tests.yaml': CLEAN_TESTS,
    'data/data.yaml': CLEAN_DATA,
    ...more,
  };
}

export function strictly(files: Files, today = TODAY): readonly Judged[] {
  const folder = { folder: 'policies', files: sourceFiles(files), commit: null, problems: [] };
  return checkFolder(folder, { isStrict: true, today, onProgress: () => undefined }).findings;
}

/** `code file:line:column item: message — hint`, and behind it the reason where it is accepted. */
export function told(files: Files, today = TODAY): string[] {
  return strictly(files, today).map(({ diagnostic, accepted }) => {
    const reason = accepted === null ? '' : ` (accepted: ${accepted.entry.reason})`;
    return `${diagnostic.severity === 'error' ? 'error' : diagnostic.code} ${formatDiagnostic(diagnostic)}${reason}`;
  });
}
