// Sees to it that duties of Privity reach the configured webhook soon after their records are committed. It must never hold up an
// answer, and without a webhook it does nothing: the records keep the duties.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from './environment.ts';
import type { PolicySet } from './core/policy-set.ts';
import type { Database, openClient } from './io/db/database.ts';
import type { Recorder } from './io/log/recorder.ts';
import { createCourier, type CourierState, type CourierTimes } from './io/reports/courier.ts';
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
  state(): CourierState;
  close(): Promise<void>;
}

const POST_TIMEOUT_MS = 10_000;
const CLOSE_MS = 2_000;
const NOTHING_TO_DO: CourierState = { backlog: 0, oldestSeconds: 0, delivered: 0, failures: 0 };

export function fulfilDuties(config: Config, deps: DutiesDeps): Duties {
  const { recorder, log } = deps;
  const { WEBHOOK_URL: url, WEBHOOK_SECRET: secret = null } = config;
  if (url === undefined) {
    return { recorder, degraded: () => [], state: () => NOTHING_TO_DO, close: () => Promise.resolve() };
  }
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
    state: courier.state,
    // What is not noted as delivered is found again at the next start: no reason to hold up the end of the chain.
    close: () => Promise.race([courier.close(), sleep(CLOSE_MS, undefined, { ref: false })]),
  };
}

function callersDuties({ firm }: PolicySet): readonly string[] {
  return [...firm.obligations].filter(([, one]) => one.fulfilled_by !== 'privity').map(([code]) => code);
}
