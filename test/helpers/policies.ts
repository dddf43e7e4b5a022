// Policy sets for tests: the starter policies, or a few files written in the test itself, all through the real parser.
// It must never judge anything.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compilePolicies } from '../../src/core/compile.ts';
import { compileWallsFile } from '../../src/core/compile-walls.ts';
import type { PolicySet } from '../../src/core/policy-set.ts';
import { createReport } from '../../src/core/report.ts';
import { formatDiagnostic } from '../../src/core/schema-check.ts';
import { parseTimestamp } from '../../src/core/time.ts';
import { indexWalls } from '../../src/core/walls.ts';
import { runAtOnce } from '../../src/io/policies/slices.ts';
import { parseSourceFile } from '../../src/io/policies/parse.ts';
import type { WallEntry } from '../../src/model/data.ts';
import type { Decision, DecisionRequest } from '../../src/model/decision.ts';
import type { Diagnostic, SourceFile } from '../../src/model/diagnostic.ts';
import type { TestCase } from '../../src/model/rules.ts';

const STARTER = fileURLToPath(new URL('../../policies', import.meta.url));

/** By path; a value that is no text is written as JSON, which is YAML as well. */
export type Files = Readonly<Record<string, unknown>>;

export function sourceFile(name: string, content: unknown): SourceFile {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return parseSourceFile(name, new TextEncoder().encode(text));
}

export function sourceFiles(files: Files): SourceFile[] {
  return Object.entries(files).map(([name, content]) => sourceFile(name, content));
}

let starter: readonly SourceFile[] | undefined;
let starterSet: PolicySet | undefined;
let firmSet: PolicySet | undefined;

/** Every file of policies/. */
export function starterFiles(): readonly SourceFile[] {
  return (starter ??= readStarter(() => true));
}

function readStarter(isWanted: (name: string) => boolean): readonly SourceFile[] {
  return globSync('**/*.yaml', { cwd: STARTER })
    .map((name) => name.split(path.sep).join('/'))
    .filter(isWanted)
    .toSorted()
    .map((name) => parseSourceFile(name, readFileSync(path.join(STARTER, name))));
}

export function starterPolicies(): PolicySet {
  starterSet ??= compiled(starterFiles());
  return starterSet;
}

/** The same revision without the cases of tests/, which are most of what there is to read. */
export function firmPolicies(): PolicySet {
  return (firmSet ??= compiled(readStarter((name) => !name.startsWith('tests/'))));
}

/** @throws with everything that is wrong with the files */
export function compiled(files: readonly SourceFile[] | Files): PolicySet {
  const { set, diagnostics } = compilePolicies(listed(files), { commit: null });
  if (set === null) throw new Error(diagnostics.map(formatDiagnostic).join('\n'));
  return set;
}

/** What stops the files from loading, as an author reads it. */
export function errorsIn(files: readonly SourceFile[] | Files): string[] {
  return diagnosticsIn(files)
    .filter(({ severity }) => severity === 'error')
    .map(formatDiagnostic);
}

export function findingsIn(files: readonly SourceFile[] | Files): string[] {
  return diagnosticsIn(files)
    .filter(({ severity }) => severity === 'finding')
    .map(formatDiagnostic);
}

export function diagnosticsIn(files: readonly SourceFile[] | Files): readonly Diagnostic[] {
  return compilePolicies(listed(files), { commit: null }).diagnostics;
}

function listed(files: readonly SourceFile[] | Files): readonly SourceFile[] {
  return isList(files) ? files : sourceFiles(files);
}

function isList(files: readonly SourceFile[] | Files): files is readonly SourceFile[] {
  return Array.isArray(files);
}

/** The same set with more walls, compiled as those of walls/ are. */
export function withWalls(set: PolicySet, walls: readonly WallEntry[]): PolicySet {
  const report = createReport();
  const more = runAtOnce(compileWallsFile(sourceFile('walls/more.yaml', { walls }), set.firm, report));
  if (report.diagnostics.length > 0) throw new Error(report.diagnostics.map(formatDiagnostic).join('\n'));
  const { assistants, conflictCheckers, memoAdvice } = set.walls;
  const index = indexWalls([...set.walls.all, ...more], { assistants, conflictCheckers, memoAdvice });
  return { ...set, walls: index };
}

/** A firm with one attribute of every kind and every presence; tests add rules, data and walls. */
export const SMALL_FIRM = `version: 1
roles: { partner: Partner, associate: Associate, clerk: Clerk, analyst: Analyst }
actions: { read: Read, list: List, edit: Edit, export: Export }
resource_types: { document: Document, note: Note, matter: Matter, client: Client, wall: Wall, report: Report }
source_systems: [dms, portal]
consents: { sharing: Clients that agreed }
groups:
  roles: { lawyer: [partner, associate] }
  resources: { content: [document, note] }
  actions: { look: [read, list] }
attributes:
  subject:
    clearance: { type: enum, values: [low, mid, high], ordered: true, required_for: [{ user_types: [internal] }] }
    amr: { type: list, items: string, default: [] }
    auth_time: { type: timestamp, optional: unknown }
    floor: { type: number, optional: none }
  resource:
    matter_id: { type: string, required_for: [{ resources: [content] }], optional: none }
    client_id: { type: string, required_for: [{ resources: [content, matter] }], optional: none }
    level: { type: enum, values: [low, mid, high], ordered: true, required_for: [{ resources: [content] }], optional: none }
    sealed: { type: boolean, required_for: [{ resources: [content], actions: { except: [list] } }], optional: no }
    owner: { type: person, optional: nobody }
    tags: { type: list, items: string, optional: none }
    filed: { type: timestamp, optional: never }
    term: { type: duration, optional: none }
    pages: { type: number, default: 1 }
    title: { type: string, optional: none }
  context:
    zone: { type: enum, values: [office, home], required: true }
    managed: { type: boolean, default: false }
    parcel:
      type: object
      fields: { size: { type: number }, to: { type: person }, sent: { type: timestamp } }
      optional: none
    visits:
      type: list
      items: { fields: { by: { type: person }, at: { type: timestamp }, count: { type: number } } }
      default: []
calendars:
  office_hours: { days: [mon, tue, wed, thu, fri], from: "07:00", until: "20:00", timezone: UTC }
terms:
  internal: { subject.user_type: internal }
  on_the_team: { matter.team: { $has: "\${subject.id}" } }
  mfa: { subject.amr: { $has: mfa } }
  granted:
    data.grants: { $some: { granted_to: "\${subject.id}", matter_id: "\${matter.id}" } }
advice:
  'step_up:mfa': { text: Sign in again., acr_values: mfa }
  'step_up:fresh': { text: Confirm it is you., acr_values: mfa phr, max_age: 600 }
  'advice:memo': { text: Read the memo. }
  'alert:officer': { fulfilled_by: privity }
obligations:
  'log:copy': { fulfilled_by: caller, text: Log it., properties: { days: 30 } }
  'notify:officer': { fulfilled_by: privity }
walls: { lateral_reasons: [lateral], conflict_checkers: [analyst], memo_advice: ['advice:memo'] }
`;

export const SMALL_DATA = `matters:
  - { id: M-1, client_id: C-1, practice_group: tax, responsible_attorney: u-ann, team: [u-ann, u-ben] }
  - { id: M-2, client_id: C-2, proposing_partner: u-cat }
grants:
  - { id: G-1, granted_to: u-dan, matter_id: M-1, actions: [read], valid_until: '2026-06-01T00:00:00Z', approved_by: u-ann }
  - { id: G-2, granted_to: u-dan, matter_id: M-1, actions: [list], valid_until: '2026-06-01T00:00:00Z', approved_by: u-ann }
consents: { sharing: [C-1] }
`;

/** A policy set of the small firm with these rules (YAML of the list, or its value). */
export function smallFirm(rules: string | readonly unknown[], more: Files = {}): PolicySet {
  return compiled(smallFiles(rules, more));
}

export function smallFiles(rules: string | readonly unknown[], more: Files = {}): Files {
  const content = typeof rules === 'string' ? `version: 1\nrules:\n${rules}` : { version: 1, rules };
  return { 'firm.yaml': SMALL_FIRM, 'data/data.yaml': SMALL_DATA, 'rules/rules.yaml': content, ...more };
}

export interface Asked {
  readonly subject?: Readonly<Record<string, unknown>> & { readonly id?: string };
  readonly actor?: string | null;
  readonly action?: string;
  readonly type?: string;
  readonly id?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly context?: Readonly<Record<string, unknown>>;
  readonly sourceSystem?: string | null;
  readonly approvals?: unknown;
  readonly now?: string;
}

/** A complete request about the small firm, so that a test names only what it is about. */
export function asks(asked: Asked = {}): DecisionRequest {
  const { id = 'u-ann', ...attributes } = asked.subject ?? {};
  return {
    subject: { id, attributes: { roles: ['partner'], user_type: 'internal', clearance: 'high', ...attributes } },
    actor: asked.actor ?? null,
    action: asked.action ?? 'read',
    resource: {
      type: asked.type ?? 'document',
      id: asked.id ?? 'D-1',
      properties: { matter_id: 'M-1', client_id: 'C-1', level: 'low', sealed: false, ...asked.properties },
    },
    context: { zone: 'office', ...asked.context },
    sourceSystem: asked.sourceSystem === undefined ? 'dms' : asked.sourceSystem,
    approvals: asked.approvals ?? [],
    now: instant(asked.now ?? '2026-03-10T14:00:00Z'),
  };
}

export function instant(text: string): number {
  const ms = parseTimestamp(text);
  if (ms === undefined) throw new Error(`${text} is no instant`);
  return ms;
}

/** A test case as a request, with nothing dropped or refused on the way. */
export function requestOf({ claims, action, resource, context, now }: TestCase): DecisionRequest {
  const { sub, act, ...attributes } = claims;
  const { source_system: sourceSystem, approvals, ...rest } = context ?? {};
  return {
    subject: { id: String(sub), attributes },
    actor: typeof act === 'object' && act !== null && 'sub' in act ? String(act.sub) : null,
    action,
    resource: { type: resource.type, id: resource.id, properties: resource.properties ?? {} },
    context: rest,
    sourceSystem: typeof sourceSystem === 'string' ? sourceSystem : null,
    approvals: approvals ?? [],
    now: instant(now),
  };
}

/** All that an answer to people can be made of (P7). */
export function visible({ advice, missing, stepUp, obligations }: Decision): unknown {
  return { advice, missing, stepUp, obligations };
}
