// Looks at the process that the service will be: its Node, its account, how many files it may open. It must never change a limit.
import { readFileSync } from 'node:fs';
import type { Config } from '../../environment.ts';
import { about, type Check } from './check.ts';

const OLDEST_MAJOR = 24;
/** Policies, database, key endpoints and the runtime itself. */
const OTHER_FILES = 256;

export function checkMachine(config: Config | null): readonly Check[] {
  return [checkNode(), checkAccount(), checkOpenFiles(config)];
}

function checkNode(): Check {
  const check = about('process.node', 'version of Node, which this command runs under as the service does');
  const { node } = process.versions;
  const major = Number.parseInt(node, 10);
  const todo = 'run it under the newest long-term support release of Node (an even major version)';
  if (major < OLDEST_MAJOR) return check.failure(`Node ${node}; Privity needs ${OLDEST_MAJOR} or newer`, todo);
  // Odd majors are never supported for long; even ones become LTS in the October after their April.
  if (major % 2 !== 0) return check.warning(`Node ${node} gets no long-term support`, todo);
  return check.ok(`Node ${node}`);
}

function checkAccount(): Check {
  const check = about('process.account', 'the account this command runs under; run it under that of the service');
  const uid = process.getuid?.();
  if (uid === undefined) return check.ok('this system has no account numbers');
  if (uid !== 0) return check.ok(`account ${uid}, not root`);
  return check.warning(
    'this is root; the service needs no right of root',
    'run the service, and this command, under an account of their own',
  );
}

function checkOpenFiles(config: Config | null): Check {
  const check = about('process.open-files', 'files that a process may have open (`ulimit -n`) beside MAX_CONNECTIONS');
  const limit = openFilesLimit();
  if (limit === null) {
    return check.couldNotCheck('there is no /proc here', 'compare `ulimit -n` with MAX_CONNECTIONS yourself');
  }
  if (config === null) return check.couldNotCheck('MAX_CONNECTIONS is not known', 'mend the configuration first');
  const needed = config.MAX_CONNECTIONS + OTHER_FILES;
  if (limit >= needed) return check.ok(`${limit}, enough for ${config.MAX_CONNECTIONS} connections`);
  return check.warning(
    `${limit}, and MAX_CONNECTIONS allows ${config.MAX_CONNECTIONS} connections`,
    `raise the limit to ${needed} (LimitNOFILE= of systemd, --ulimit of containers), or set MAX_CONNECTIONS=${Math.max(10, limit - OTHER_FILES)}`,
  );
}

/** Node raises its own soft limit to the hard one at its start. */
function openFilesLimit(): number | null {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const words = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
    return words === undefined ? null : words === 'unlimited' ? Number.POSITIVE_INFINITY : Number(words);
  } catch {
    return null;
  }
}
