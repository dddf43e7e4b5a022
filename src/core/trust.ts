// Checks issuers.yaml and callers.yaml: who may ask, and whom to believe (DESIGN 4). It must never let two issuers speak of the same person.
import { CallersFile, IssuersFile, type CallerEntry, type IssuerEntry } from '../model/data.ts';
import type { SourceFile } from '../model/diagnostic.ts';
import type { Firm } from './firm.ts';
import { at, type Place, type Report } from './report.ts';
import { checkFile } from './schema-check.ts';
import { parseDuration } from './time.ts';

/** Claims that are no subject attributes but say who a token is about and for whom it was issued. */
const SPECIAL_CLAIMS: ReadonlySet<string> = new Set(['id', 'client', 'token_id', 'act']);

export function compileIssuers(file: SourceFile | undefined, firm: Firm, report: Report): readonly IssuerEntry[] {
  if (file === undefined) return [];
  const problems = checkFile(file, IssuersFile);
  report.add(problems);
  if (problems.length > 0) return [];
  const { issuers } = file.value as IssuersFile;
  const subjectAttributes = firm.dictionary.declared
    .filter(({ namespace }) => namespace === 'subject')
    .map(({ name }) => name);
  for (const [index, issuer] of issuers.entries()) {
    const place: Place = { file, path: ['issuers', index], item: issuer.issuer };
    if (issuers.findIndex((other) => other.issuer === issuer.issuer) < index) {
      report.error(
        at(place, 'issuer'),
        'duplicate-id',
        `\`${issuer.issuer}\` is listed twice`,
        'remove one of the two entries',
      );
    }
    for (const name of Object.keys(issuer.claims)) {
      if (SPECIAL_CLAIMS.has(name) || subjectAttributes.includes(name)) continue;
      report.unknown(at(place, 'claims', name), 'subject attribute', name, [...SPECIAL_CLAIMS, ...subjectAttributes]);
    }
    for (const name of ['id', 'client']) {
      if (!Object.hasOwn(issuer.claims, name))
        report.error(at(place, 'claims'), 'missing-claim', `the claim map does not say where the ${name} stands`);
    }
    for (const [i, role] of issuer.may_assert.roles.entries()) {
      if (!firm.names.roles.has(role))
        report.unknown(at(place, 'may_assert', 'roles', i), 'role', role, firm.names.roles.keys());
    }
    for (const member of ['max_token_age', 'clock_tolerance'] as const) {
      const text = issuer[member];
      if (text !== undefined && parseDuration(text) === undefined) {
        report.error(at(place, member), 'wrong-type', `\`${text}\` is no ISO 8601 duration`, 'write PT30S or PT24H');
      }
    }
    checkOverlap(issuer, issuers.slice(0, index), place, report);
    reviewKeys(issuer, place, report);
  }
  return issuers;
}

/** Not URL's own parsing: what is no loopback to the eye is none here. */
const PLAIN_HTTP = /^http:\/\/(?!(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?(?:\/|$))/;

/** Legitimate inside one machine or a mesh that encrypts by itself, but deserves a look everywhere else. */
function reviewKeys({ issuer, keys }: IssuerEntry, place: Place, report: Report): void {
  if (!('url' in keys) || !PLAIN_HTTP.test(keys.url)) return;
  report.finding(
    at(place, 'keys', 'url'),
    'unprotected-keys',
    `the keys of ${issuer} are fetched over plain http: whoever is on the way can put in keys of their own, and be anybody`,
    'use https://, or a key file',
  );
}

function checkOverlap(issuer: IssuerEntry, earlier: readonly IssuerEntry[], place: Place, report: Report): void {
  for (const other of earlier) {
    for (const [i, pattern] of issuer.may_assert.ids.entries()) {
      const clash = other.may_assert.ids.find((one) => overlap(one, pattern));
      if (clash === undefined) continue;
      report.error(
        at(place, 'may_assert', 'ids', i),
        'overlapping-issuers',
        `\`${pattern}\` overlaps \`${clash}\` of ${other.issuer}: both could speak of the same person`,
        'give every issuer ids of its own',
      );
    }
  }
}

/** Patterns are ids, or prefixes ending in `*`. */
export function overlap(a: string, b: string): boolean {
  const [x, y] = [a.endsWith('*') ? a.slice(0, -1) : null, b.endsWith('*') ? b.slice(0, -1) : null];
  if (x !== null && y !== null) return x.startsWith(y) || y.startsWith(x);
  if (x !== null) return b.startsWith(x);
  return y !== null ? a.startsWith(y) : a === b;
}

export function compileCallers(
  file: SourceFile | undefined,
  issuers: readonly IssuerEntry[],
  firm: Firm,
  aiAssistants: ReadonlySet<string>,
  report: Report,
): readonly CallerEntry[] {
  if (file === undefined) return [];
  const problems = checkFile(file, CallersFile);
  report.add(problems);
  if (problems.length > 0) return [];
  const { callers } = file.value as CallersFile;
  const ids = new Set<string>();
  const clients = new Set<string>();
  for (const [index, caller] of callers.entries()) {
    const place: Place = { file, path: ['callers', index], item: caller.id };
    if (ids.has(caller.id))
      report.error(
        at(place, 'id'),
        'duplicate-id',
        `\`${caller.id}\` is listed twice`,
        'give each caller an id of its own',
      );
    ids.add(caller.id);
    const client = `${caller.issuer}\u0000${caller.client_id}`;
    if (clients.has(client))
      report.error(
        at(place, 'client_id'),
        'duplicate-id',
        `the client \`${caller.client_id}\` is already another caller`,
      );
    clients.add(client);
    if (!issuers.some(({ issuer }) => issuer === caller.issuer)) {
      report.unknown(
        at(place, 'issuer'),
        'issuer',
        caller.issuer,
        issuers.map(({ issuer }) => issuer),
      );
    }
    if (!firm.names.sourceSystems.has(caller.source_system)) {
      report.unknown(at(place, 'source_system'), 'source system', caller.source_system, firm.names.sourceSystems);
    }
    for (const [i, name] of (caller.subject_tokens?.issuers ?? []).entries()) {
      if (issuers.some(({ issuer }) => issuer === name)) continue;
      const known = issuers.map(({ issuer }) => issuer);
      report.unknown(at(place, 'subject_tokens', 'issuers', i), 'issuer', name, known);
    }
    checkVouch(caller, place, firm, report);
    if (caller.ai_assistant !== undefined && !aiAssistants.has(caller.ai_assistant)) {
      report.unknown(at(place, 'ai_assistant'), 'AI assistant', caller.ai_assistant, aiAssistants);
    }
  }
  return callers;
}

/** What nobody may vouch for: it comes from a token or from policy data only. */
const NEVER_VOUCHED: ReadonlySet<string> = new Set([
  'roles',
  'user_type',
  'employee_status',
  'amr',
  'auth_time',
  'act',
]);

function checkVouch(caller: CallerEntry, place: Place, firm: Firm, report: Report): void {
  if (caller.may.includes('vouch') !== (caller.vouch !== undefined)) {
    report.error(
      place,
      'vouch',
      'the right `vouch` and the member `vouch` belong together',
      'add the missing one or remove the other',
    );
  }
  const known = firm.dictionary.declared.filter(({ namespace }) => namespace === 'subject').map((one) => one.name);
  for (const [i, name] of (caller.vouch?.attributes ?? []).entries()) {
    const here = at(place, 'vouch', 'attributes', i);
    if (NEVER_VOUCHED.has(name))
      report.error(here, 'vouch', `nobody may vouch for \`${name}\``, 'it comes from tokens or policy data only');
    else if (!known.includes(name)) report.unknown(here, 'subject attribute', name, known);
  }
}
