// Judges a database server: whether a commit on it means what P1 says, and whether the service finds room on it. It must never pass a
// server for durable that is not.
import type { ServerFacts } from '../../io/db/examine-server.ts';
import { about, type Check } from './check.ts';

const OLDEST = 150_000;
/** What one process of the service opens: see app.ts. */
const SESSIONS = 10;

export function judgeServer(facts: ServerFacts, url: string): readonly Check[] {
  return [
    judgeVersion(facts),
    judgeWritable(facts),
    judgeDurability(facts),
    judgeCommit(facts),
    judgeStandbys(facts),
    judgeChecksums(facts),
    judgeRoom(facts),
    judgeEncryption(facts, url),
  ];
}

function judgeVersion({ version, versionWords }: ServerFacts): Check {
  const check = about('server.version', 'version of PostgreSQL');
  if (version < OLDEST)
    return check.failure(`PostgreSQL ${versionWords}; Privity needs 15 or newer`, 'upgrade the server');
  return check.ok(`PostgreSQL ${versionWords}`);
}

function judgeWritable({ isStandby, defaults }: ServerFacts): Check {
  const check = about('server.writable', 'whether the server takes writes');
  if (isStandby) return check.failure('this server is a standby', 'let DATABASE_URL lead to the primary');
  if (defaults.get('default_transaction_read_only') === 'on') {
    return check.failure(
      'transactions of this account only read (`default_transaction_read_only`)',
      'reset that setting of the role, database or server',
    );
  }
  return check.ok('a primary that takes writes');
}

function judgeDurability({ defaults }: ServerFacts): Check {
  const check = about('server.durability', '`fsync` and `full_page_writes`: whether a commit survives a crash');
  const off = ['fsync', 'full_page_writes'].filter((name) => defaults.get(name) !== 'on');
  if (off.length === 0) return check.ok('fsync and full_page_writes are on');
  return check.failure(
    `${off.join(' and ')} ${off.length === 1 ? 'is' : 'are'} off: a crash may lose or spoil committed records`,
    `set ${off.map((name) => `\`${name} = on\``).join(' and ')} in postgresql.conf and reload the server`,
  );
}

function judgeCommit({ defaults, sessionCommit }: ServerFacts): Check {
  const check = about('server.commit', '`synchronous_commit`: the default, and what sessions of the service set');
  if (sessionCommit !== 'on' && sessionCommit !== 'remote_apply') {
    return check.failure(
      `sessions of the service commit with \`${sessionCommit}\` although they ask for \`on\``,
      'let the service connect to the server itself, or through a pooler in session mode',
    );
  }
  const byDefault = defaults.get('synchronous_commit');
  return check.ok(
    byDefault === sessionCommit
      ? `on by default: \`${sessionCommit}\``
      : `the default is \`${byDefault}\`; sessions of the service set \`${sessionCommit}\``,
  );
}

function judgeStandbys({ defaults, standbys }: ServerFacts): Check {
  const check = about('server.standbys', '`synchronous_standby_names`: whether a failover can lose commits');
  const names = defaults.get('synchronous_standby_names') ?? '';
  if (names === '' && standbys > 0) {
    return check.warning(
      `${standbys} streaming, none of them synchronous: a failover may lose the last commits, which is noticed and alarmed, but not undone`,
      'set `synchronous_standby_names` if records must survive the loss of the primary',
    );
  }
  if (names === '') return check.ok('no standby');
  if (standbys > 0) return check.ok(`synchronous: ${names}; ${standbys} streaming`);
  return check.failure(
    `commits wait for ${names}, and no standby is streaming: every decision will be a 503`,
    'bring the standby back, or take it out of `synchronous_standby_names`',
  );
}

function judgeChecksums({ defaults }: ServerFacts): Check {
  const check = about('server.checksums', '`data_checksums`: whether the server notices pages that the disk spoiled');
  if (defaults.get('data_checksums') === 'on') return check.ok('on');
  return check.warning(
    'off: records that the disk spoils are noticed only when the log is verified',
    'stop the server and run `pg_checksums --enable`, or make the next cluster with them',
  );
}

function judgeRoom({ freeSessions, maxSessions }: ServerFacts): Check {
  const check = about(
    'server.sessions',
    `sessions left, of the server and of the account; each process takes ${SESSIONS}`,
  );
  if (freeSessions >= SESSIONS) {
    return check.ok(
      `${freeSessions} of ${maxSessions} left, enough for ${Math.floor(freeSessions / SESSIONS)} more processes`,
    );
  }
  return check.warning(
    `${freeSessions} of ${maxSessions} left, not enough for one more process`,
    'raise `max_connections` or the CONNECTION LIMIT of the role',
  );
}

function judgeEncryption({ isEncrypted }: ServerFacts, url: string): Check {
  const check = about('server.encryption', 'TLS between the service and a database elsewhere');
  if (isHere(url)) return check.ok(isEncrypted ? 'TLS' : 'no TLS; the server is on this machine');
  if (!isEncrypted) {
    return check.warning(
      'no TLS, and the server is elsewhere: records can be read, and commits be faked, on the way',
      'turn on `ssl` at the server and add `?sslmode=verify-full` to the URLs, unless the way is yours alone (containers of one machine)',
    );
  }
  if (isUnverified(url)) {
    return check.warning(
      'TLS, but the server’s certificate is not checked: somebody in between could be the server',
      'use `sslmode=verify-full` in the URLs, with `sslrootcert` for an authority of your own',
    );
  }
  return check.ok('TLS, with the server’s certificate checked');
}

function isHere(url: string): boolean {
  const { hostname, searchParams } = new URL(url);
  const host = searchParams.get('host') ?? decodeURIComponent(hostname);
  return host === '' || host.startsWith('/') || /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/.test(host);
}

/** As the driver reads the URL: only these two let any certificate pass. */
function isUnverified(url: string): boolean {
  const { searchParams } = new URL(url);
  const mode = searchParams.get('sslmode');
  if (mode === 'no-verify') return true;
  return searchParams.get('uselibpqcompat') === 'true' && (mode === 'require' || mode === 'prefer');
}
