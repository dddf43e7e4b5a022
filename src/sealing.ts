// Puts sealing together from the settings: keys, places, the connection of the sealer's role. It must never seal where nothing is
// published outside the database, for such a seal proves nothing against its owner.
import type { Logger } from 'pino';
import type { Config } from './environment.ts';
import { type NoteSigner, verifierOf, writeVerifier } from './core/sealing/signed-note.ts';
import { openClient } from './io/db/database.ts';
import { filePlace, folderPlace, httpPlace, type Place } from './io/log/sealing/places.ts';
import { createSealer, type Sealer } from './io/log/sealing/sealer.ts';
import { loadWriterKey } from './io/log/writer-key.ts';
import { StartupError } from './startup-error.ts';

export interface Sealing extends Sealer {
  readonly places: readonly string[];
  /** What auditors are given, one line for each key (C2SP signed-note, verifier keys). */
  readonly verifierKeys: readonly string[];
}

/** Of one checkpoint, its lock included. */
const SEAL_TIMEOUT_MS = 60_000;

/** Null where sealing is not set up here; some settings of it without the others are a mistake. @throws StartupError */
export async function openSealing(config: Config, log: Logger): Promise<Sealing | null> {
  const { DATABASE_SEALER_URL: url, CHECKPOINT_KEY_FILE: keyFile, CHECKPOINT_OLD_KEY_FILE: oldKeyFile } = config;
  if (keyFile === undefined) return null;
  const places = placesOf(config);
  const lacks = [
    ...(url === undefined ? ['DATABASE_SEALER_URL'] : []),
    ...(places.length === 0 ? ['CHECKPOINT_DIR, CHECKPOINT_FILE or CHECKPOINT_URL'] : []),
  ];
  if (url === undefined || places.length === 0) {
    throw new StartupError('checkpoints cannot be made', [
      `CHECKPOINT_KEY_FILE is set, but not ${lacks.join(', nor ')}`,
    ]);
  }
  const newest = await openKey('CHECKPOINT_KEY_FILE', keyFile, config.LOG_NAME);
  const older = oldKeyFile === undefined ? [] : [await openKey('CHECKPOINT_OLD_KEY_FILE', oldKeyFile, config.LOG_NAME)];
  const signers = [newest, ...older] as const;
  const sealer = createSealer({
    connect: () =>
      openClient({ url, applicationName: 'privity sealer', queryTimeoutMs: SEAL_TIMEOUT_MS, onError: () => undefined }),
    origin: config.LOG_NAME,
    signers,
    places,
    now: Date.now,
    report: (level, code, detail) => log[level]({ code, ...detail }, 'sealer'),
  });
  return {
    ...sealer,
    places: places.map(({ name }) => name),
    verifierKeys: signers.map((signer) => writeVerifier(verifierOf(signer))),
  };
}

function placesOf({ CHECKPOINT_DIR, CHECKPOINT_FILE, CHECKPOINT_URL }: Config): readonly Place[] {
  return [
    ...(CHECKPOINT_DIR === undefined ? [] : [folderPlace('CHECKPOINT_DIR', CHECKPOINT_DIR)]),
    ...(CHECKPOINT_FILE === undefined ? [] : [filePlace('CHECKPOINT_FILE', CHECKPOINT_FILE)]),
    ...(CHECKPOINT_URL === undefined ? [] : [httpPlace('CHECKPOINT_URL', CHECKPOINT_URL)]),
  ];
}

async function openKey(setting: string, file: string, name: string): Promise<NoteSigner> {
  try {
    return { name, key: await loadWriterKey(file, 'checkpoint key') };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError('the checkpoint key cannot be used', [`${setting}: ${reason}`], error);
  }
}
