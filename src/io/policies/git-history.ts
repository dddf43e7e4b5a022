// Asks a clone of the policies repository who wrote, committed, signed, reviewed and merged what. It must never write to the repository, nor
// call a signature good that git does not.
import { git } from './git.ts';

export interface Change {
  readonly commit: string;
  readonly author: string;
  readonly authoredAt: string;
  readonly committer: string;
  readonly committedAt: string;
  /** In words, as git judges it with the keys that it knows. */
  readonly signature: string;
  readonly subject: string;
  /** Such as `Reviewed-by: …`. */
  readonly trailers: readonly string[];
}

const FIELDS = ['%H', '%an <%ae>', '%aI', '%cn <%ce>', '%cI', '%G?', '%GS', '%s', '%(trailers:only,unfold)'];
const FORMAT = `--format=%x1e${FIELDS.join('%x1f')}`;

const SIGNATURES: Readonly<Record<string, string>> = {
  G: 'good',
  U: 'good, by a key of unknown validity',
  X: 'good, but it has expired',
  Y: 'good, by a key that has expired',
  R: 'good, by a key that was revoked',
  B: 'BAD',
  E: 'there is one, and it cannot be checked here',
  N: 'none',
};

/** The commits that wrote these lines of a file as they are in `commit`, newest first. Rejects when git cannot tell. */
export async function changesOfLines(
  repository: string,
  place: { readonly commit: string; readonly path: string; readonly first: number; readonly last: number },
  most: number,
): Promise<readonly Change[]> {
  const lines = `-L${place.first},${place.last}:${place.path}`;
  return changesIn(await git(repository, ['log', '-s', lines, `-n${most}`, FORMAT, '--end-of-options', place.commit]));
}

/** Null where the clone does not have it. */
export async function changeOf(repository: string, commit: string): Promise<Change | null> {
  const [change = null] = changesIn(
    await git(repository, ['log', '-1', '--no-walk', FORMAT, '--end-of-options', commit]).catch(() => Buffer.alloc(0)),
  );
  return change;
}

/** The merge that brought a commit into the line that leads to another one: who let it in. Null for what was committed to it directly. */
export async function mergeOf(repository: string, commit: string, towards: string): Promise<Change | null> {
  const list = async (...words: string[]): Promise<readonly string[]> =>
    (await git(repository, ['rev-list', ...words])).toString('utf8').split('\n').filter(Boolean);
  const line = await list('--first-parent', '--end-of-options', towards);
  if (line.includes(commit)) return null;
  const between = new Set(await list('--ancestry-path', '--end-of-options', `${commit}..${towards}`));
  const merge = line.findLast((one) => between.has(one));
  return merge === undefined ? null : changeOf(repository, merge);
}

/** Commits, newest first, in which a file whose path ends like this was changed, on any branch. */
export async function commitsOfFile(repository: string, file: string, most: number): Promise<readonly string[]> {
  const pattern = `:(top,glob)**/${file.replaceAll(/[[\]*?\\]/g, (mark) => `\\${mark}`)}`;
  const answer = await git(repository, ['log', '--all', `-n${most}`, '--format=%H', '--', pattern]);
  return answer.toString('utf8').split('\n').filter(Boolean);
}

export interface FileAt {
  readonly path: string;
  readonly text: string;
}

/** Files of a commit whose path is this one, or ends with it below some folder. */
export async function filesAt(repository: string, commit: string, file: string): Promise<readonly FileAt[]> {
  const answer = await git(repository, [
    'ls-tree',
    '-r',
    '-z',
    '--name-only',
    '--full-tree',
    '--end-of-options',
    commit,
  ]);
  const paths = answer
    .toString('utf8')
    .split('\u0000')
    .filter((path) => path === file || path.endsWith(`/${file}`));
  return Promise.all(
    paths.map(async (path) => ({
      path,
      text: (await git(repository, ['cat-file', 'blob', `${commit}:${path}`])).toString('utf8'),
    })),
  );
}

function changesIn(answer: Buffer): readonly Change[] {
  return answer
    .toString('utf8')
    .split('\u001e')
    .slice(1)
    .map((text) => {
      const [
        commit = '',
        author = '',
        authoredAt = '',
        committer = '',
        committedAt = '',
        sign = '',
        signer = '',
        subject = '',
        trailers = '',
      ] = text.split('\u001f');
      const words = SIGNATURES[sign] ?? 'not known';
      return {
        commit,
        author,
        authoredAt,
        committer,
        committedAt,
        signature: signer === '' ? words : `${words}, by ${signer}`,
        subject,
        trailers: trailers.split('\n').filter((line) => line.trim() !== ''),
      };
    });
}
