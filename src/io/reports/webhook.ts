// Posts one event to the configured address: signed, bounded in time. It must never follow a redirect, nor take anything but a 2xx for
// a delivery.
import { createHmac } from 'node:crypto';
import type { DutyEvent } from './duty-event.ts';

export interface WebhookOptions {
  readonly url: string;
  /** Null: events are not signed. */
  readonly secret: string | null;
  readonly timeoutMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * - `taken`: answered with 2xx;
 * - `refused`: the receiver does not want this event, others may do;
 * - `failed`: nothing would be taken at present.
 */
export type PostResult = 'taken' | 'refused' | 'failed';

export interface Posted {
  readonly result: PostResult;
  /** For operators: a status or an error code, never a body. */
  readonly reason: string;
}

export type PostEvent = (event: DutyEvent, signal: AbortSignal) => Promise<Posted>;

/** Statuses that are about the event itself (RFC 9110, 15.5). All others are about the receiver. */
const ABOUT_THE_EVENT: ReadonlySet<number> = new Set([400, 409, 413, 422]);

export function createWebhook({ url, secret, timeoutMs, now }: WebhookOptions): PostEvent {
  return async (event, signal) => {
    const timestamp = Math.floor(now() / 1000);
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/cloudevents+json; charset=utf-8',
          'user-agent': 'privity',
          'webhook-id': event.id,
          'webhook-timestamp': String(timestamp),
          ...(secret === null ? {} : { 'webhook-signature': signatureOf(secret, event, timestamp) }),
        },
        body: event.body,
        // People and matters must not be led to an address that nobody configured.
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      await response.body?.cancel();
      return { result: judge(response), reason: `status ${response.status}` };
    } catch (error) {
      return { result: 'failed', reason: describeFailure(error) };
    }
  };
}

/** As Standard Webhooks 1.0 has it, with the bytes of the secret as the key: HMAC-SHA256 over id, time and body. */
export function signatureOf(secret: string, event: DutyEvent, timestamp: number): string {
  const signed = `${event.id}.${timestamp}.${event.body}`;
  return `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`;
}

function judge({ ok, status }: Response): PostResult {
  if (ok) return 'taken';
  return ABOUT_THE_EVENT.has(status) ? 'refused' : 'failed';
}

/** Never the address, whose path may be a secret. */
function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown failure';
  if (error.name === 'TimeoutError') return 'timed out';
  for (const one of [error.cause, error]) {
    if (one instanceof Error && 'code' in one && typeof one.code === 'string') return one.code;
  }
  return error.name;
}
