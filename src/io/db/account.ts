// In charge of the account that the embedded server runs under when this process is root, which PostgreSQL refuses to be. It must
// never change the rights of a folder or of an existing account.
import { execFile } from 'node:child_process';
import { constants, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const ACCOUNT = 'postgres';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Finds the account, and makes it where there is none. */
export async function findAccount(): Promise<Account> {
  const read = async (flag: string): Promise<number> => Number((await run('id', [flag, ACCOUNT])).stdout);
  const find = async (): Promise<Account> => ({ uid: await read('-u'), gid: await read('-g') });
  try {
    return await find();
  } catch {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/bin/false', ACCOUNT]).catch(
      (error: unknown) => {
        throw new Error(`PostgreSQL refuses to run as root, and the account \`${ACCOUNT}\` cannot be made`, {
          cause: error,
        });
      },
    );
    return find();
  }
}

/** Whether the account may pass through every folder down to `place`. */
export function canEnter(place: string, account: Account): boolean {
  for (let folder = place; ; folder = path.dirname(folder)) {
    const { mode, uid, gid } = statSync(folder);
    const needed =
      uid === account.uid ? constants.S_IXUSR : gid === account.gid ? constants.S_IXGRP : constants.S_IXOTH;
    if ((mode & needed) === 0) return false;
    if (folder === path.dirname(folder)) return true;
  }
}
