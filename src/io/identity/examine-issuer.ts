// Asks an issuer for its keys once, as the service does, and says what came back. It must never keep a key, nor be asked for by a token.
import { connect } from 'node:tls';
import type { IssuerEntry } from '../../model/data.ts';
import { readJwks } from './jwks.ts';
import { KEY_DEFAULTS } from './keys.ts';
import { describeFailure, fetchKeys } from './key-source.ts';

export interface IssuerReview {
  readonly issuer: string;
  /** Why no key came back; null when some did. */
  readonly problem: string | null;
  readonly keys: number;
  /** Published, but not usable here. */
  readonly ignored: number;
  /** Algorithms of the issuer that some key serves. */
  readonly served: readonly string[];
  /** Milliseconds that this machine is ahead of the endpoint (behind: negative); null where it does not say. */
  readonly skewMs: number | null;
  /** When the first certificate of the endpoint runs out; null without TLS. */
  readonly certificateUntil: number | null;
}

export interface IssuerDeps {
  readonly now: () => number;
  readonly readKeyFile: (file: string) => Promise<Uint8Array>;
}

const NOTHING = { keys: 0, ignored: 0, served: [], skewMs: null, certificateUntil: null };

export async function reviewIssuer(entry: IssuerEntry, deps: IssuerDeps): Promise<IssuerReview> {
  const { issuer, algorithms } = entry;
  try {
    const { bytes, skewMs } = await load(entry, deps);
    const published = await readJwks(bytes, algorithms);
    const each = await Promise.all(algorithms.map((one) => readJwks(bytes, [one])));
    const certificateUntil = 'url' in entry.keys ? await certificateOf(entry.keys.url) : null;
    return {
      issuer,
      problem: published.count === 0 ? 'the key set holds no usable key' : null,
      keys: published.count,
      ignored: published.ignored,
      served: algorithms.filter((_, index) => (each[index]?.count ?? 0) > 0),
      skewMs,
      certificateUntil,
    };
  } catch (error) {
    return { issuer, ...NOTHING, problem: describeFailure(error) };
  }
}

async function load({ keys }: IssuerEntry, { now, readKeyFile }: IssuerDeps) {
  if (!('url' in keys)) return { bytes: await readKeyFile(keys.file), skewMs: null };
  const before = now();
  const { bytes, date } = await fetchKeys(keys.url, KEY_DEFAULTS, new AbortController().signal);
  return { bytes, skewMs: date === null ? null : skewOf(Date.parse(date), before, now()) };
}

/** The header has whole seconds (RFC 9110, 5.6.7), and was written between our two readings. */
function skewOf(date: number, before: number, after: number): number | null {
  if (!Number.isFinite(date)) return null;
  if (date > after) return after - date;
  return Math.max(0, before - (date + 1_000));
}

/** Only the dates count here; whether the certificate is good has been settled by the fetch before. */
function certificateOf(url: string): Promise<number | null> {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'https:') return Promise.resolve(null);
  return new Promise((resolve) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    const socket = connect({
      host,
      port: Number(port === '' ? 443 : port),
      servername: host,
      timeout: KEY_DEFAULTS.timeoutMs,
    });
    const end = (until: number | null): void => {
      socket.destroy();
      resolve(until);
    };
    socket.once('secureConnect', () => {
      const until = Date.parse(socket.getPeerCertificate().valid_to);
      end(Number.isFinite(until) ? until : null);
    });
    socket.once('timeout', () => end(null));
    socket.once('error', () => end(null));
  });
}
