// Which file system a folder lies on, and whether that outlives a restart. It must never write there to find out.
import { accessSync, constants, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { reasonOf, type Check, type Subject } from './check.ts';

interface Mount {
  /** What of the file system is mounted there. */
  readonly root: string;
  readonly point: string;
  readonly type: string;
}

const IN_MEMORY: ReadonlySet<string> = new Set(['tmpfs', 'ramfs', 'devtmpfs']);
const OF_A_CONTAINER: ReadonlySet<string> = new Set(['overlay', 'aufs', 'fuse.fuse-overlayfs']);
const OVER_THE_NETWORK = /^(?:nfs\d?|cifs|smb\d?|9p|virtiofs|fuse\..*|ceph|glusterfs|lustre)$/;

/** Of a folder or a file. Null: this account may read it and write there. */
export function whyNotWritable(place: string): string | null {
  try {
    const enter = statSync(place).isDirectory() ? constants.X_OK : 0;
    accessSync(place, constants.R_OK | constants.W_OK | enter);
    return null;
  } catch (error) {
    return `cannot be used (${error instanceof Error && 'code' in error ? String(error.code) : reasonOf(error)})`;
  }
}

/** What lies there must be there after a restart. */
export function judgeVolume(check: Subject, folder: string, todo: string): Check {
  const mount = mountOf(folder);
  if (mount === null) return check.couldNotCheck('there is no /proc here', `see for yourself: ${todo}`);
  const { type, point, root } = mount;
  if (IN_MEMORY.has(type)) return check.failure(`${point} is in memory (${type}), gone with a restart`, todo);
  if (OF_A_CONTAINER.has(type)) {
    return check.failure(`it lies in the container itself (${type}), gone when that is replaced`, todo);
  }
  if (root.includes('kubernetes.io~empty-dir')) {
    return check.failure(`${point} is an emptyDir, gone with its pod`, todo);
  }
  if (OVER_THE_NETWORK.test(type)) {
    return check.warning(`${point} is ${type}: locks and fsync may promise less there than a disk does`, todo);
  }
  return check.ok(`${point} (${type})`);
}

/** The longest mount point that leads there: proc_pid_mountinfo(5). Null where that cannot be read. */
function mountOf(folder: string): Mount | null {
  try {
    const real = realpathSync(folder);
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').flatMap(parseMount);
    const leading = mounts.filter(({ point }) => real === point || real.startsWith(point === '/' ? '/' : `${point}/`));
    // Of two on the same point, the later one lies on top.
    return leading.reduce<Mount | null>(
      (best, one) => (one.point.length >= (best?.point.length ?? 0) ? one : best),
      null,
    );
  } catch {
    return null;
  }
}

function parseMount(line: string): readonly Mount[] {
  const [before = '', after = ''] = line.split(' - ', 2);
  const [, , , root = '', point = ''] = before.split(' ');
  const [type = ''] = after.split(' ');
  return point === '' ? [] : [{ root: unescaped(root), point: unescaped(point), type }];
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
}

/** The place, or the nearest folder above it. */
export function nearestThatIsThere(place: string): string {
  let here = path.resolve(place);
  for (;;) {
    if (statSync(here, { throwIfNoEntry: false }) !== undefined) return here;
    const above = path.dirname(here);
    if (above === here) return here;
    here = above;
  }
}
