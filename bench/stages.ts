// Times the pure steps of one decision in this process, over the same mix: no network, no database. It must never keep an answer, nor
// time the same objects again and again: every pass parses its requests anew, as the service does.
import { decide } from '../src/core/decide.ts';
import { gatherFacts } from '../src/core/facts.ts';
import type { PolicySet } from '../src/core/policy-set.ts';
import { decisionEntry } from '../src/core/record/decision-record.ts';
import { bodyMembers, recordText } from '../src/core/record/envelope.ts';
import { recordHash } from '../src/core/record/hash.ts';
import { randomNonce, uuidv7 } from '../src/core/record/uuid.ts';
import type { Caller, DecisionRequest, TokenEvidence } from '../src/model/decision.ts';
import type { MixedRequest } from './mix.ts';

export interface Stage {
  readonly name: string;
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
}

const PASSES = 20;
const WARM_UP = 10;

const EVIDENCE: TokenEvidence = {
  kind: 'token',
  issuer: 'https://login.firm.example/',
  tokenId: '00000000-0000-4000-8000-000000000000',
  keyId: 'bench-1',
  claimsHash: '0'.repeat(64),
  droppedRoles: [],
};
const CALLER: Caller = { id: 'dms', sourceSystem: 'dms', rights: new Set(), own: true, aiAssistant: null };

export function timeStages(set: PolicySet, mix: readonly MixedRequest[], now: number): readonly Stage[] {
  const writer = uuidv7(now);
  const bodies = mix.map(({ request }) => ({ ...request, text: JSON.stringify([request.resource, request.context]) }));
  // The attributes of a subject are those of a cached token: the same object for every request that comes with it.
  const fresh = (): DecisionRequest[] =>
    bodies.map(({ text, ...request }) => {
      const [resource, context] = JSON.parse(text) as [DecisionRequest['resource'], DecisionRequest['context']];
      return { ...request, resource, context, now };
    });
  const entryOf = (request: DecisionRequest) =>
    decisionEntry(set, {
      id: uuidv7(now),
      request,
      decision: decide(set, request),
      subject: { ...request.subject, actor: request.actor, evidence: EVIDENCE },
      caller: CALLER,
      requestId: 'bench',
      traceId: null,
      approvalIds: [],
      durationUs: 1,
    });
  const membersOf = (request: DecisionRequest) => bodyMembers(entryOf(request).body);
  const bytesOf = (request: DecisionRequest) => {
    const envelope = {
      kind: 'decision',
      id: writer,
      writer,
      seq: 1,
      prev: '0'.repeat(64),
      nonce: randomNonce(),
      at: now,
    };
    return Buffer.from(recordText(envelope, membersOf(request)));
  };
  // Each does what the one before does, and more.
  const steps: readonly (readonly [name: string, run: (request: DecisionRequest) => unknown])[] = [
    ['nothing (the loop itself)', (request) => request],
    ['gather facts', (request) => gatherFacts(set, request)],
    ['decide, facts included', (request) => decide(set, request)],
    ['… and build the record', entryOf],
    ['… and canonical members', membersOf],
    ['… and bytes', bytesOf],
    ['… and hash', (request) => recordHash(bytesOf(request))],
  ];
  const times = steps.map(() => [] as Float64Array[]);
  for (let pass = 0; pass < WARM_UP + PASSES; pass++) {
    for (const [index, [, run]] of steps.entries()) {
      const taken = timePass(fresh(), run);
      if (pass >= WARM_UP) times[index]?.push(taken);
    }
  }
  const quantiles = times.map((passes) => {
    const all = Float64Array.from(passes.flatMap((pass) => [...pass])).sort();
    return [0.5, 0.99].map((share) => all[Math.floor(all.length * share)] ?? 0);
  });
  const [overhead = 0] = quantiles[0] ?? [];
  return steps.slice(1).map(([name], index) => {
    const [p50 = 0, p99 = 0] = quantiles[index + 1] ?? [];
    return { name, p50: p50 - overhead, p99: p99 - overhead };
  });
}

/** Keeps what was computed from being optimised away. */
let last: unknown;

function timePass(requests: readonly DecisionRequest[], run: (request: DecisionRequest) => unknown): Float64Array {
  const taken = new Float64Array(requests.length);
  for (const [index, request] of requests.entries()) {
    const before = performance.now();
    last = run(request);
    taken[index] = (performance.now() - before) * 1_000;
  }
  if (last === undefined) throw new Error('nothing was computed');
  return taken;
}
