// Looks at the places where checkpoints are published: reached, kept, and holding what the configured keys signed. It must never publish.
import type { Config } from '../../environment.ts';
import { readCheckpoint } from '../../core/sealing/checkpoint.ts';
import { type NoteVerifier, verifierOf } from '../../core/sealing/signed-note.ts';
import { filePlace, folderPlace, httpPlace, type Place } from '../../io/log/sealing/places.ts';
import { loadWriterKey } from '../../io/log/writer-key.ts';
import { about, type Check, reasonOf, type Subject } from './check.ts';
import { judgeVolume, nearestThatIsThere, whyNotWritable } from './volume.ts';

const OUTSIDE = 'publish to a volume that stays, better on another machine than the database';

export async function checkPublished(config: Config): Promise<readonly Check[]> {
  const { CHECKPOINT_DIR: folder, CHECKPOINT_FILE: file, CHECKPOINT_URL: url } = config;
  const verifiers = await verifiersOf(config);
  const look = (place: Place): Promise<Check> => judgeLatest(subjectOf(place.name), place, config.LOG_NAME, verifiers);
  return [
    ...(folder === undefined
      ? []
      : await inPlace('CHECKPOINT_DIR', folder, () => look(folderPlace('CHECKPOINT_DIR', folder)))),
    ...(file === undefined
      ? []
      : await inPlace('CHECKPOINT_FILE', file, () => look(filePlace('CHECKPOINT_FILE', file)))),
    ...(url === undefined ? [] : [await look(httpPlace('CHECKPOINT_URL', url))]),
  ];
}

const subjectOf = (setting: string): Subject =>
  about('checkpoints.published', `${setting}: what is published there, and whether these keys signed it`);

async function inPlace(setting: string, wanted: string, look: () => Promise<Check>): Promise<readonly Check[]> {
  // What is not there is made by whoever publishes first.
  const nearest = nearestThatIsThere(wanted);
  const why = whyNotWritable(nearest);
  const place = about('checkpoints.place', `${setting}: this account may write there, and it outlives a restart`);
  if (why !== null) {
    const todo = 'give it to the account of the service; until then nothing is sealed';
    return [place.failure(`${nearest} ${why}`, todo)];
  }
  return [judgeVolume(place, nearest, OUTSIDE), await look()];
}

async function judgeLatest(
  check: Subject,
  place: Place,
  origin: string,
  verifiers: readonly NoteVerifier[],
): Promise<Check> {
  let note: string | null;
  try {
    note = await place.latest();
  } catch (error) {
    return check.failure(
      `cannot be asked: ${reasonOf(error)}`,
      'see that it is reached from here and open to this account; until then nothing is sealed',
    );
  }
  if (note === null) return check.ok('nothing is published there yet');
  if (verifiers.length === 0)
    return check.couldNotCheck('there is no key to compare with', 'mend the checkpoint key first');
  const checkpoint = readCheckpoint(note, verifiers);
  if (checkpoint === null || checkpoint.origin !== origin) {
    return check.failure(
      `what is there is no checkpoint that the key signed for the log \`${origin}\`: nothing will be sealed`,
      'set LOG_NAME and the keys that it was signed with (the one before as CHECKPOINT_OLD_KEY_FILE), or find out who wrote it',
    );
  }
  return check.ok(`${checkpoint.size} records sealed`);
}

/** A key that cannot be read is told about by itself. */
async function verifiersOf(config: Config): Promise<readonly NoteVerifier[]> {
  const files = [config.CHECKPOINT_KEY_FILE, config.CHECKPOINT_OLD_KEY_FILE].filter((file) => file !== undefined);
  const keys = await Promise.all(files.map((file) => loadWriterKey(file, 'checkpoint key').catch(() => null)));
  return keys.flatMap((key) => (key === null ? [] : [verifierOf({ name: config.LOG_NAME, key })]));
}
