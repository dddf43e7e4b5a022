// Runs a table of attacks with tokens: each in both places a token may stand, each beside the same request with a good token. It must
// never let a case pass that was not refused for the reason it names.
import type { Test } from 'tap';
import { mustRefuse, signDraft, type AttackRig, type Draft, type Position } from '../helpers/attack-rig.ts';

export interface Attack {
  /** Number in the list of RFC 8725 attacks, and what is done. */
  readonly name: string;
  readonly reason: string;
  readonly forge: (good: Draft, position: Position) => string;
  readonly positions?: readonly Position[];
}

const BOTH: readonly Position[] = ['bearer', 'subject'];

export async function runAttacks(t: Test, rig: AttackRig, attacks: readonly Attack[]): Promise<void> {
  for (const { name, reason, forge, positions = BOTH } of attacks) {
    for (const position of positions) {
      await t.test(`${name} (${position})`, async (t) => {
        const token = forge(rig.draft(position), position);
        await mustRefuse(t, rig, token, await rig.send(position, token), { reason });
        const good = await rig.send(position, signDraft(rig.draft(position)));
        t.match(good, { status: 200, body: { decision: true } }, 'the same request with a good token is answered');
      });
    }
  }
}

/** The same draft with other members. */
export function withHeader(draft: Draft, header: Draft['header']): Draft {
  return { ...draft, header: { ...draft.header, ...header } };
}

export function withClaims(draft: Draft, claims: Draft['payload']): Draft {
  return { ...draft, payload: { ...draft.payload, ...claims } };
}
