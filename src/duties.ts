// Sees to it that duties of Privity reach the configured webhook soon after their records are committed. It must never hold up an
// answer, and without a webhook it does nothing: the records keep the duties.
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import type { PolicySet } from './core/policy-set.ts';
import type { Database, openClient } from './io/db/database.ts';
import type { Recorder } from './io/log/recorder.ts';
import { createCourier, type CourierTimes } from './io/reports/courier.ts';
import { createWebhook } from './io/reports/webhook.ts';

export interface DutiesDeps {
  readonly recorder: Recorder;
  readonly reading: Database['pool'];
  /** Opens a connection as the writer. */
  readonly connect: () => ReturnType<typeof openClient>;
  readonly policies: { current(): PolicySet };
  readonly log: Logger;
  readonly times?: Partial<CourierTimes> | undefined;
}

export interface Duties {
  /** The recorder, for everybody whose records may leave duties. */
  readonly recorder: Pick<Recorder, 'append' | 'appendRefused'>;
  /** Codes for readiness. */
  degraded(): readonly string[];
  close(): Promise<void>;
}

const POST_TIMEOUT_MS = 10_000;

export function fulfilDuties(config: Config, deps: DutiesDeps): Duties {
  const { recorder, log } = deps;
  const { WEBHOOK_URL: url, WEBHOOK_SECRET: secret = null } = config;
  if (url === undefined) return { recorder, degraded: () => [], close: () => Promise.resolve() };
  const { now } = recorder.clock;
  const courier = createCourier({
    reading: deps.reading,
    connect: deps.connect,
    post: createWebhook({ url, secret, timeoutMs: POST_TIMEOUT_MS, now }),
    callersDuties: () => callersDuties(deps.policies.current()),
    now,
    report: ({ code, reason }) => log[code === 'webhook_failing' ? 'warn' : 'info']({ code, reason }, 'webhook'),
    ...(deps.times === undefined ? {} : { times: deps.times }),
  });
  return {
    recorder: {
      appendRefused: recorder.appendRefused,
      async append(entries) {
        const receipts = await recorder.append(entries);
        if (entries.some(({ columns }) => columns.obligations.length > 0)) courier.nudge();
        return receipts;
      },
    },
    degraded: () => (courier.isFailing() ? ['webhook_failing'] : []),
    close: courier.close,
  };
}

function callersDuties({ firm }: PolicySet): readonly string[] {
  return [...firm.obligations].filter(([, one]) => one.fulfilled_by !== 'privity').map(([code]) => code);
}
