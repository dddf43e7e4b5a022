// Puts a record into the words of OCSF: API Activity (6003) with the profile `security_control`, for SIEMs. It must never carry free
// text or attributes: whoever needs them finds the record by `metadata.uid`.
import { isKind } from '../record/columns.ts';
import { foundRecord, type LogRow, textsOf } from './row.ts';

export const OCSF_VERSION = '1.5.0';
const CATEGORY = 6;
const CLASS = 6003;
const [CREATE, READ, UPDATE, DELETE, OTHER] = [1, 2, 3, 4, 99];

/** Names of actions that say themselves which of OCSF's four they are; others keep their name as `activity_name`. */
export const ACTIVITIES: ReadonlyMap<string, number> = new Map([
  ['create', CREATE],
  ['read', READ],
  ['list', READ],
  ['download', READ],
  ['print', READ],
  ['export', READ],
  ['edit', UPDATE],
  ['update', UPDATE],
  ['checkout', UPDATE],
  ['close', UPDATE],
  ['reopen', UPDATE],
  ['reassign', UPDATE],
  ['delete', DELETE],
  ['dispose', DELETE],
]);
const [INFORMATIONAL, LOW, MEDIUM] = [1, 2, 3];
const [ALLOWED, DENIED] = [1, 2];
const [DISPOSED_ALLOWED, DISPOSED_BLOCKED, DISPOSED_UNAUTHORIZED] = [1, 2, 26];
const [SUCCESS, FAILURE] = [1, 2];

type Json = Readonly<Record<string, unknown>>;

/** @param version of Privity */
export function ocsfEvent(row: LogRow, version: string): Json {
  const { record } = row;
  const found = foundRecord('log', row);
  const kind = found.kind ?? '';
  // What is no judged request (a loaded policy set, a writer that begins) is an activity of Privity itself.
  const operation = found.action ?? kind;
  const activity = ACTIVITIES.get(found.action ?? '') ?? OTHER;
  const isAlert = textsOf(record['obligations']).some((code) => code.startsWith('alert:'));
  return {
    activity_id: activity,
    ...(activity === OTHER ? { activity_name: operation } : {}),
    category_uid: CATEGORY,
    class_uid: CLASS,
    type_uid: CLASS * 100 + activity,
    time: Date.parse(found.at),
    severity_id: severityOf(found.outcome, isAlert),
    ...statusOf(kind, found.outcome),
    is_alert: isAlert,
    metadata: {
      version: OCSF_VERSION,
      product: { name: 'Privity', vendor_name: 'Privity', version },
      profiles: ['security_control'],
      uid: row.id,
      ...optional('correlation_uid', found.request_id),
      ...(typeof record['seq'] === 'number' ? { sequence: record['seq'] } : {}),
      log_name: isKind(kind) ? kind : 'unreadable',
    },
    actor: {
      ...(found.subject.id === null ? {} : { user: { uid: found.subject.id } }),
      app_uid: found.subject.actor ?? found.caller ?? 'privity',
      ...(found.outcome === null
        ? {}
        : {
            authorizations: (found.decided_by ?? []).map((rule) => ({
              decision: found.outcome,
              policy: { uid: rule, name: rule, ...optional('version', found.revision) },
            })),
          }),
    },
    src_endpoint: { svc_name: found.source_system ?? found.caller ?? 'privity', ...optional('uid', found.caller) },
    api: {
      operation,
      service: { name: 'Privity' },
      ...(found.request_id === null ? {} : { request: { uid: found.request_id ?? '' } }),
    },
    ...(found.resource.id === null
      ? {}
      : { resources: [{ uid: found.resource.id, ...optional('type', found.resource.type) }] }),
    unmapped: {
      matter: found.matter,
      client: found.client,
      walls: found.walls,
      grants: found.grants,
      obligations: found.obligations,
      writer: typeof record['writer'] === 'string' ? record['writer'] : null,
    },
  };
}

function severityOf(outcome: string | null, isAlert: boolean): number {
  if (isAlert) return MEDIUM;
  return outcome === 'deny' ? LOW : INFORMATIONAL;
}

/** The status is that of the evaluation: a deny was evaluated with success. */
function statusOf(kind: string, outcome: string | null): Json {
  if (kind === 'refused') return { status_id: FAILURE, action_id: DENIED, disposition_id: DISPOSED_UNAUTHORIZED };
  if (outcome === 'deny') return { status_id: SUCCESS, action_id: DENIED, disposition_id: DISPOSED_BLOCKED };
  return { status_id: SUCCESS, action_id: ALLOWED, disposition_id: DISPOSED_ALLOWED };
}

function optional(name: string, value: string | null | undefined): Json {
  return typeof value === 'string' ? { [name]: value } : {};
}
