// Looks at the webhook: set, signed, its name known; with `--send` that a test event is taken. It must never post without being told to.
import { lookup } from 'node:dns/promises';
import type { Config } from '../../environment.ts';
import type { PolicySet } from '../../core/policy-set.ts';
import { uuidv7 } from '../../core/record/uuid.ts';
import { testEvent } from '../../io/reports/duty-event.ts';
import { createWebhook } from '../../io/reports/webhook.ts';
import { about, type Check, reasonOf } from './check.ts';

const POST_TIMEOUT_MS = 10_000;

export interface WebhookQuestion {
  readonly set: PolicySet | null;
  readonly send: boolean;
  readonly now: () => number;
}

export async function checkWebhook(config: Config, { set, send, now }: WebhookQuestion): Promise<readonly Check[]> {
  const { WEBHOOK_URL: url, WEBHOOK_SECRET: secret = null } = config;
  const check = about('webhook.address', 'WEBHOOK_URL: where alerts and reviews of Privity go');
  if (url === undefined) {
    const duties = [...(set?.firm.obligations ?? []), ...(set?.firm.advice ?? [])].filter(
      ([, { fulfilled_by: by }]) => by === 'privity',
    );
    if (duties.length === 0) return [check.ok('not set; the policies leave Privity nothing to tell')];
    const words = `not set, and the policies leave ${duties.length} kinds of alerts and reviews to Privity`;
    return [check.warning(words, 'set WEBHOOK_URL (docs/webhook.md); until then ask GET /v1/reviews')];
  }
  return [await checkName(check, url), checkSignature(secret), ...(send ? [await post(url, secret, now)] : [])];
}

async function checkName(check: ReturnType<typeof about>, url: string): Promise<Check> {
  const { hostname } = new URL(url);
  try {
    await lookup(hostname.replace(/^\[|\]$/g, ''));
    return check.ok(`${hostname} has an address; \`--send\` posts a test event`);
  } catch (error) {
    return check.failure(
      `${hostname} has no address (${codeOf(error)})`,
      'see that the name is right and that DNS answers here',
    );
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : reasonOf(error);
}

function checkSignature(secret: string | null): Check {
  const check = about('webhook.signature', 'WEBHOOK_SECRET: how the receiver knows that an event is Privity’s');
  if (secret !== null) return check.ok('events are signed');
  return check.warning(
    'events are not signed: anybody may post false alerts',
    'set WEBHOOK_SECRET, here and at the receiver',
  );
}

async function post(url: string, secret: string | null, now: () => number): Promise<Check> {
  const check = about('webhook.delivery', 'whether the receiver takes a test event (`privity.test.v1`)');
  const webhook = createWebhook({ url, secret, timeoutMs: POST_TIMEOUT_MS, now });
  const at = now();
  const { result, reason } = await webhook(testEvent(uuidv7(at), at), new AbortController().signal);
  if (result === 'taken') return check.ok(`taken (${reason})`);
  return check.failure(
    `not taken (${reason})`,
    'see the receiver’s log; events wait for seven days and are posted again',
  );
}
