// What an approval leaves in the log, given or refused: a decision's members, so that it is read and searched alike, and what it was given for. It must never leave out what stood against it.
import type { RecordEntry } from '../../model/record.ts';
import type { ApprovalVerdict } from '../approve.ts';
import type { PolicySet } from '../policy-set.ts';
import { formatTimestamp } from '../time.ts';
import { decisionEntry, type DecisionEvent } from './decision-record.ts';

export interface ApprovalEvent extends Omit<DecisionEvent, 'decision' | 'approvalIds' | 'fields'> {
  readonly verdict: ApprovalVerdict;
  readonly requester: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The record's id is the approval's. */
export function approvalEntry(set: PolicySet, event: ApprovalEvent): RecordEntry {
  const { verdict, requester, expiresAt } = event;
  const { decision, roles } = verdict;
  const entry = decisionEntry(set, { ...event, decision, approvalIds: [] });
  const approval = { expires_at: formatTimestamp(expiresAt), requester, roles };
  return { ...entry, kind: 'approval', body: { ...entry.body, approval } };
}
