// Puts a record with duties of Privity into the words of the webhook: CloudEvents 1.0, JSON format. It must never carry free text,
// attributes or reasons: whoever receives it finds those in the record, if policy lets them.
import type { StoredObject } from './stored.ts';
import { objectOf, textOf, textsOf } from './stored.ts';

export interface DutyEvent {
  /** The record's id, so that whoever gets an event twice can tell. */
  readonly id: string;
  /** The event as it is posted. */
  readonly body: string;
}

const TYPE = 'privity.duty.v1';
/** With the id unique among all events (CloudEvents 1.0, `source`). */
const SOURCE = 'urn:privity:log';

/** Null: the record leaves nothing for Privity to do. */
export function dutyEvent(id: string, record: StoredObject): DutyEvent | null {
  const duties = textsOf(record['duties']);
  if (duties.length === 0) return null;
  const subject = objectOf(record['subject']);
  const resource = objectOf(record['resource']);
  const event = {
    specversion: '1.0',
    id,
    source: SOURCE,
    type: TYPE,
    time: textOf(record['at']) ?? undefined,
    datacontenttype: 'application/json',
    data: {
      evaluation_id: id,
      kind: textOf(record['kind']),
      duties,
      outcome: textOf(record['outcome']),
      action: textOf(record['action']),
      resource: { type: textOf(resource['type']), id: textOf(resource['id']) },
      matter: textOf(record['matter']),
      client: textOf(record['client']),
      subject: { id: textOf(subject['id']), actor: textOf(subject['actor']) },
      decided_by: textsOf(record['decided_by']),
      revision: textOf(objectOf(record['policy'])['revision']),
    },
  };
  return { id, body: JSON.stringify(event) };
}

/** What an operator posts to see whether the receiver takes events. Says nothing of any record. */
export function testEvent(id: string, at: number): DutyEvent {
  const time = new Date(at).toISOString();
  const event = { specversion: '1.0', id, source: 'urn:privity:doctor', type: 'privity.test.v1', time };
  return { id, body: JSON.stringify(event) };
}
