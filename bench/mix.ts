// Puts the measured requests together: everyday questions, and cases of policies/tests moved to the present, so that every rule and
// every kind of wall decides some of them. It must never hold a request whose answer it has not asked `decide` for itself.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { decide } from '../src/core/decide.ts';
import type { PolicySet } from '../src/core/policy-set.ts';
import { WALL_RULES } from '../src/core/walls.ts';
import type { Identity } from '../src/io/identity/identify.ts';
import type { CallerEntry } from '../src/model/data.ts';
import type { Caller, DecisionRequest, Subject } from '../src/model/decision.ts';
import { PrivityError } from '../src/model/errors.ts';
import type { TestCase } from '../src/model/rules.ts';
import { shiftInstants, type LargeFirm } from './data.ts';
import { createEveryday, type Asked, type Question } from './everyday.ts';
import type { Issuer } from './issuer.ts';
import type { Dice } from './random.ts';

export interface MixedRequest {
  readonly authorization: string;
  readonly body: string;
  /** What decide gets of it, but for the time. */
  readonly request: Omit<DecisionRequest, 'now'>;
  readonly caller: Caller;
  readonly subject: Subject;
}

export interface MixedBatch {
  readonly authorization: string;
  readonly body: string;
}

export interface Mix {
  readonly requests: readonly MixedRequest[];
  readonly batches: readonly MixedBatch[];
  /** Different people and service accounts that are asked about. */
  readonly people: number;
  readonly tokens: number;
}

export interface MixDeps {
  readonly set: PolicySet;
  readonly identity: Pick<Identity, 'authenticate' | 'subjectOf'>;
  readonly issuer: Issuer;
  readonly firm: LargeFirm;
  readonly dice: Dice;
  readonly now: number;
}

export const BATCH = 50;
const REQUESTS = 4_000;
const BATCHES = 200;
/** How much of the mix comes from policies/tests. */
const CASES = 0.3;
/** An answer that would change while the benchmark runs is not one to measure. */
const LASTING_MS = 15 * 60_000;

export async function createMix(deps: MixDeps, cases: readonly TestCase[]): Promise<Mix> {
  const { firm, dice } = deps;
  const everyday = createEveryday(firm, dice);
  const send = createSender(deps);
  const requests: MixedRequest[] = [];
  // Everybody asks something before anybody asks more.
  for (const person of firm.people) requests.push(await send.must(everyday.ask(person)));
  while (requests.length < REQUESTS * (1 - CASES)) requests.push(await send.must(everyday.askAny()));

  const usable: Asked[] = [];
  for (const test of cases) {
    const asked = askedIn(deps, test);
    const sent = asked === null ? null : await send.may(asked);
    if (asked === null || sent === null || !isLasting(deps, sent)) continue;
    usable.push(asked);
    requests.push(sent);
  }
  for (let count = 0; requests.length < REQUESTS; count++) {
    const again = usable[count % usable.length];
    if (again !== undefined) requests.push(await send.must(renamed(again, count)));
  }

  const batches: MixedBatch[] = [];
  for (let index = 0; index < BATCHES; index++) {
    const first = everyday.askAny();
    const questions: Question[] = [];
    while (questions.length < BATCH) {
      const next = everyday.ask(first.person);
      if (next.caller === first.caller) questions.push(next.question);
    }
    const { authorization, subject_token } = await send.credentials(first);
    batches.push({ authorization, body: JSON.stringify({ subject_token, evaluations: questions }) });
  }
  const people = new Set(requests.map(({ request }) => request.subject.id)).size;
  return { requests: dice.shuffle(requests), batches, people, tokens: send.tokens() };
}

/** How often each rule decides, and how many are allowed. @throws when a rule or a kind of wall never decides */
export function judgeMix(
  set: PolicySet,
  { requests }: Mix,
  now: number,
): { allowed: number; rarest: [string, number] } {
  const counts = new Map<string, number>([...set.rules.map(({ id }) => id), ...WALL_RULES].map((id) => [id, 0]));
  // Approvals are spent by their first use, so this one is judged with a proven one here, and without any over HTTP.
  const approvals = [{ by: 'u-gray', role: 'general_counsel' }];
  let allowed = 0;
  for (const { request } of requests) {
    const { decidedBy, outcome } = decide(set, { ...request, now });
    if (outcome === 'allow') allowed += 1;
    const more = request.action === 'dispose' ? decide(set, { ...request, approvals, now }).decidedBy : [];
    for (const id of new Set([...decidedBy, ...more])) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  const known = [...counts].filter(([id]) => id !== 'default-deny' && id !== 'attribute-missing');
  const idle = known.filter(([, count]) => count === 0).map(([id]) => id);
  if (idle.length > 0) throw new Error(`these decide nothing in the mix: ${idle.join(', ')}`);
  const share = allowed / requests.length;
  if (share < 0.4) throw new Error(`only ${Math.round(share * 100)} % of the mix are allowed`);
  known.sort(([, a], [, b]) => a - b);
  return { allowed: share, rarest: known[0] ?? ['', 0] };
}

export async function readCases(dir: string, files: readonly string[]): Promise<TestCase[]> {
  const { parseSourceFile } = await import('../src/io/policies/parse.ts');
  const parsed = await Promise.all(
    files.map(async (name) => parseSourceFile(`tests/${name}`, await readFile(path.join(dir, name)))),
  );
  return parsed.flatMap(({ value }) => (value as { readonly tests: readonly TestCase[] }).tests);
}

function isLasting({ set, now }: MixDeps, { request }: MixedRequest): boolean {
  const at = (time: number) => decide(set, { ...request, now: time }).decidedBy.join();
  return at(now) === at(now + LASTING_MS);
}

/** The case as it would be asked now; null where no caller could ask it. */
function askedIn({ set, now }: MixDeps, test: TestCase): Asked | null {
  const shifted = JSON.parse(shiftInstants(JSON.stringify(test), now - Date.parse(test.now))) as TestCase;
  const { sub, ...claims } = shifted.claims;
  const { source_system: source, approvals: _, ...context } = shifted.context ?? {};
  const isService = String(sub).startsWith('svc-');
  const caller = set.callers.find(({ client_id: client, source_system: system, ai_assistant: assistant }) =>
    isService ? client === sub : system === source && assistant === undefined,
  );
  if (caller === undefined || typeof sub !== 'string') return null;
  const signedIn = typeof claims['auth_time'] === 'string' ? Date.parse(claims['auth_time']) / 1000 : undefined;
  const { type, id, properties = {} } = shifted.resource;
  return {
    person: { id: sub, claims: { ...claims, auth_time: signedIn } },
    caller: caller.id,
    question: { action: { name: shifted.action }, resource: { type, id, properties }, context },
  };
}

/** The same question about another document. */
function renamed(asked: Asked, count: number): Asked {
  const { question } = asked;
  const { resource } = question;
  if (resource.type === 'matter' || resource.type === 'client') return asked;
  return { ...asked, question: { ...question, resource: { ...resource, id: `${resource.id}-${count}` } } };
}

export interface Sender {
  must(asked: Asked): Promise<MixedRequest>;
  /** Null where identity refuses it. */
  may(asked: Asked): Promise<MixedRequest | null>;
  credentials(asked: Asked): Promise<{ readonly authorization: string; readonly subject_token: string | undefined }>;
  tokens(): number;
}

/** Half of the people ask with a token of their own; for the others the calling system brings their token along. */
export function createSender({ set, identity, issuer }: Pick<MixDeps, 'set' | 'identity' | 'issuer'>): Sender {
  const minted = new Map<string, Promise<string>>();
  const once = (key: string, mint: () => Promise<string>): Promise<string> => {
    const found = minted.get(key) ?? mint();
    minted.set(key, found);
    return found;
  };
  const callerOf = (id: string): CallerEntry => {
    const found = set.callers.find((caller) => caller.id === id);
    if (found === undefined) throw new Error(`no caller ${id}`);
    return found;
  };

  async function credentials({ person: { id, claims }, caller }: Asked) {
    const entry = callerOf(caller);
    const key = `${caller} ${id} ${JSON.stringify(claims)}`;
    const isOwn = entry.subject_tokens === undefined || (id.startsWith('u-') && id.length % 2 === key.length % 2);
    if (isOwn) {
      const token = await once(key, () => issuer.personToken(set, entry, id, claims));
      return { authorization: `Bearer ${token}`, subject_token: undefined };
    }
    const bearer = await once(caller, () => issuer.callerToken(set, entry));
    const subject = await once(key, () => issuer.subjectToken(set, entry, id, claims));
    return { authorization: `Bearer ${bearer}`, subject_token: subject };
  }

  async function must(asked: Asked): Promise<MixedRequest> {
    const { question } = asked;
    const { authorization, subject_token } = await credentials(asked);
    const bearer = await identity.authenticate(set, authorization);
    const { caller, subject } = await identity.subjectOf(set, bearer, subject_token);
    const request = {
      subject,
      actor: subject.actor ?? caller.aiAssistant,
      action: question.action.name,
      resource: question.resource,
      context: question.context,
      sourceSystem: caller.sourceSystem,
      approvals: [],
    };
    return { authorization, body: JSON.stringify({ subject_token, ...question }), request, caller, subject };
  }

  async function may(asked: Asked): Promise<MixedRequest | null> {
    try {
      return await must(asked);
    } catch (error) {
      if (error instanceof PrivityError) return null;
      throw error;
    }
  }
  return { must, may, credentials, tokens: () => minted.size };
}
