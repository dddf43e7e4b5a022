// Looks at those whom the policies believe and let ask: issuers and their keys, callers. It must never take a key from anywhere but where
// issuers.yaml says.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { PolicySet } from '../../core/policy-set.ts';
import { type IssuerReview, reviewIssuer } from '../../io/identity/examine-issuer.ts';
import type { IssuerEntry } from '../../model/data.ts';
import { about, type Check, some } from './check.ts';

const DAY_MS = 86_400_000;
const RENEW_DAYS = 14;
/** Tokens are accepted that much before and after their times unless issuers.yaml says otherwise. */
const TOLERATED_MS = 30_000;
const NOTICEABLE_MS = 3_000;

export interface TrustQuestion {
  readonly set: PolicySet;
  readonly policiesDir: string;
  readonly now: () => number;
}

export async function checkTrust({ set, policiesDir, now }: TrustQuestion): Promise<readonly Check[]> {
  const readKeyFile = (file: string): Promise<Uint8Array> => readFile(path.resolve(policiesDir, file));
  const reviews = await Promise.all(set.issuers.map((issuer) => reviewIssuer(issuer, { now, readKeyFile })));
  const issuers = set.issuers.map((issuer, index) => judgeIssuer(issuer, reviews[index], now()));
  return [...issuers, judgeClocks(reviews), ...judgeCallers(set)];
}

function judgeIssuer(entry: IssuerEntry, review: IssuerReview | undefined, now: number): Check {
  const { issuer, keys, algorithms } = entry;
  const check = about('issuers.keys', 'keys fetched now, algorithms, https, expiry of the endpoint’s certificate');
  const source = `${issuer}: ${'url' in keys ? keys.url : keys.file}`;
  if ('url' in keys && !isGuarded(keys.url)) {
    return check.failure(
      `${source} is not encrypted: whoever sits in between can sign tokens`,
      'use the https:// address of the key endpoint',
    );
  }
  if (review === undefined || review.problem !== null) {
    return check.failure(
      `${source}: ${review?.problem ?? 'not asked'}; none of its tokens can be checked`,
      'see that the address in issuers.yaml is right, reached from here, and answers with a JSON Web Key Set',
    );
  }
  const { certificateUntil, served } = review;
  if (certificateUntil !== null && certificateUntil - now < RENEW_DAYS * DAY_MS) {
    const day = new Date(certificateUntil).toISOString().slice(0, 10);
    return check.warning(
      `${source}: the certificate of the endpoint expires on ${day}; keys cannot be refreshed afterwards`,
      'have whoever runs the identity provider renew it',
    );
  }
  const idle = algorithms.filter((one) => !served.includes(one));
  const words = [
    `${review.keys} ${review.keys === 1 ? 'key' : 'keys'} for ${served.join(', ')}`,
    ...(review.ignored === 0 ? [] : [`${review.ignored} not usable`]),
    ...(idle.length === 0 ? [] : [`none for ${idle.join(', ')}`]),
  ];
  return check.ok(`${issuer}: ${words.join('; ')}`);
}

function isGuarded(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || /^(?:localhost|\[::1\]|127(?:\.\d{1,3}){3})$/.test(hostname);
}

function judgeClocks(reviews: readonly IssuerReview[]): Check {
  const check = about('issuers.clock', 'this machine’s clock against the Date of the key endpoints');
  const known = reviews.flatMap(({ issuer, skewMs }) => (skewMs === null ? [] : [{ issuer, skewMs }]));
  if (known.length === 0) return check.ok('no key endpoint says what time it is');
  const off = known.filter(({ skewMs }) => Math.abs(skewMs) > NOTICEABLE_MS);
  if (off.length === 0) return check.ok(known.length === 1 ? 'together' : `together with all ${known.length}`);
  const words = off.map(({ issuer, skewMs }) => {
    return `${Math.round(Math.abs(skewMs) / 1000)} s ${skewMs < 0 ? 'behind' : 'ahead of'} ${issuer}`;
  });
  const todo = 'let this machine follow a time server; if it does, tell whoever runs the identity provider';
  const worst = Math.max(...off.map(({ skewMs }) => Math.abs(skewMs)));
  if (worst > TOLERATED_MS)
    return check.failure(`${some(words)}: valid tokens are refused, or expired ones taken`, todo);
  return check.warning(some(words), todo);
}

/** That every caller's issuer is registered is part of loading: such a set does not load. */
function judgeCallers({ callers, issuers }: PolicySet): readonly Check[] {
  const check = about(
    'callers',
    'callers.yaml: registered issuers, issuers that nobody uses, systems that can ask nothing',
  );
  if (callers.length === 0) {
    return [check.failure('no caller is registered: nobody may ask', 'list the systems that ask in callers.yaml')];
  }
  const used = new Set(callers.flatMap(({ issuer, subject_tokens: tokens }) => [issuer, ...(tokens?.issuers ?? [])]));
  const unused = issuers.map(({ issuer }) => issuer).filter((one) => !used.has(one));
  if (unused.length > 0) {
    return [
      check.warning(
        `no caller uses ${some(unused)}: whom nobody brings along need not be believed`,
        'take the issuer out of issuers.yaml, or name it in `issuer` or `subject_tokens.issuers` of a caller',
      ),
    ];
  }
  return [
    check.ok(
      `${callers.length} ${callers.length === 1 ? 'caller' : 'callers'} of ${issuers.length} ${issuers.length === 1 ? 'issuer' : 'issuers'}`,
    ),
  ];
}
