// Looks at the journal of spool mode: its folder, the volume that has to keep it, its lock, its room, what Node may do. It must never take
// the lock, which a service that starts just then would miss, nor open what is in the journal.
import { readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../../environment.ts';
import { about, type Check } from './check.ts';
import { judgeVolume, whyNotWritable } from './volume.ts';

const MIB = 2 ** 20;
const VOLUME = 'let SPOOL_DIR be a folder on a persistent volume of this process’s own, encrypted';

export function checkJournal(config: Config): readonly Check[] {
  const { SPOOL_DIR: folder, SPOOL_MAX: most } = config;
  if (folder === undefined) return [];
  const isFile = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false;
  const why = isFile ? 'is not a folder' : whyNotWritable(folder);
  const check = about('journal.folder', 'SPOOL_DIR: there, and this account may write there');
  if (why !== null) {
    const todo =
      'make the folder and give it to the account of the service (mode 700); the service does not start without';
    return [check.failure(`${folder} ${why}`, todo), checkPermission()];
  }
  const volume = about('journal.volume', 'SPOOL_DIR: whether what lies there outlives a restart');
  return [
    check.ok(folder),
    judgeVolume(volume, folder, VOLUME),
    checkLock(folder),
    checkRoom(folder, most),
    checkPermission(),
  ];
}

/** Of locks the kernel says who holds them: taking one to see whether it can be had would keep a service from starting. */
function checkLock(folder: string): Check {
  const check = about('journal.lock', 'SPOOL_DIR: whether a process has it; every process needs a folder of its own');
  const file = statSync(path.join(folder, 'lock'), { throwIfNoEntry: false });
  if (file === undefined) return check.ok('nobody has used it yet');
  const locks = readLocks();
  if (locks === null) {
    return check.couldNotCheck('there is no /proc/locks here', 'see that no other process is given the same SPOOL_DIR');
  }
  const holder = locks.find(({ inode }) => inode === file.ino)?.pid;
  if (holder === undefined) return check.ok('nobody has it');
  return check.ok(
    holder > 0
      ? `process ${holder} has it: no other may be given this folder`
      : 'a process has it: no other may be given this folder',
  );
}

/** proc_locks(5): `1: POSIX ADVISORY WRITE 4711 fe:00:1234 0 EOF`. */
function readLocks(): readonly { readonly inode: number; readonly pid: number }[] | null {
  try {
    return readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [, pid, inode] = /^\d+: POSIX\s+ADVISORY\s+WRITE\s+(-?\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line) ?? [];
        return inode === undefined ? [] : [{ inode: Number(inode), pid: Number(pid) }];
      });
  } catch {
    return null;
  }
}

function checkRoom(folder: string, most: number): Check {
  const check = about('journal.room', 'SPOOL_DIR: room on the disk beside SPOOL_MAX, and what waits there');
  const names = readdirSync(folder).filter((name) => name.endsWith('.journal'));
  const held = names.reduce(
    (sum, name) => sum + (statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const waits = held === 0 ? 'nothing waits' : `${mebibytes(held)} wait for the database`;
  if (free + held < most) {
    return check.warning(
      `${waits}; ${mebibytes(free)} free, and the journal may grow to ${mebibytes(most)}`,
      'make room, or lower SPOOL_MAX to what is there; when the disk is full, nothing is answered',
    );
  }
  return check.ok(`${waits}; ${mebibytes(free)} free for a journal of ${mebibytes(most)} at most`);
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / MIB)} MiB`;
}

function checkPermission(): Check {
  const check = about('journal.fsync', 'whether Node may make files safe: under `--permission` it has no fsync');
  if (process.permission === undefined) return check.ok('it may');
  return check.failure(
    'Node runs with --permission: the service does not start in spool mode',
    'leave that option out (deploy/systemd/spool.conf, deploy/compose/spool.yaml, `spool.enabled` of the chart)',
  );
}
