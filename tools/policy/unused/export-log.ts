// Takes an export of the log for the log itself: the same sums from lines of a file. It must never take what an export leaves out for what never
// was: places that are missing count as gaps, and it ends where its last record ends.
import type { Readable } from 'node:stream';
import { parseTimestamp } from '../../../src/core/time.ts';
import type { Island, PolicyLoad, Purged, UsePiece, UseReader, UseRow } from '../../../src/io/reports/read-use.ts';
import { purgedOf, rolesIn } from '../../../src/io/reports/read-use.ts';
import { objectOf, parseStored, textOf, textsOf, type StoredObject } from '../../../src/io/reports/stored.ts';
import { UsageError } from '../../../src/cli/shell/verb.ts';
import { openExportRecords } from '../replay/export-records.ts';
import { REPLAYED_KINDS } from '../replay/record-source.ts';

const PIECE = 20_000;

export interface ExportLog {
  readonly use: UseReader;
  /** Of the last record; null: there is none. */
  ends(): number | null;
  /** Git commits of the policy sets that were loaded, by revision. */
  commits(): ReadonlyMap<string, string>;
}

interface Line {
  readonly record: StoredObject;
  readonly at: number;
  readonly writer: string;
  readonly seq: number;
}

/** @throws UsageError where the file holds no records */
export function openExportLog(file: string, place: string, input: Readable): ExportLog {
  const loads: PolicyLoad[] = [];
  const purges: Purged[] = [];
  const commits = new Map<string, string>();
  let [first, last]: [number | null, number | null] = [null, null];
  let isRead = false;

  function note({ record, at }: Line): void {
    first = Math.min(first ?? at, at);
    last = Math.max(last ?? at, at);
    const { revision, commit } = objectOf(record['policy']);
    if (record['kind'] === 'policy_loaded' && typeof revision === 'string') {
      loads.push({ at, revision });
      if (typeof commit === 'string') commits.set(revision, commit);
    } else if (record['kind'] === 'purge') purges.push(purgedOf(textOf(record['id']) ?? '', record, at));
  }

  const use: UseReader = {
    begins: () => Promise.resolve(first),
    async *pieces(from) {
      // All of it in one go: a second look would find nothing else.
      if (isRead) return;
      isRead = true;
      const nothing = { from: undefined, to: undefined, subject: undefined, matter: undefined };
      const source = await openExportRecords(file, place, nothing, input);
      let lines: Line[] = [];
      try {
        for await (const block of source.blocks()) {
          while (block.next()) {
            const line = lineOf(parseStored(block.block.subarray(block.from, block.to)), file);
            note(line);
            if (line.at >= from) lines.push(line);
            if (lines.length < PIECE) continue;
            yield pieceOf(lines);
            lines = [];
          }
          block.release();
        }
      } finally {
        await source.close();
      }
      if (lines.length > 0) yield pieceOf(lines);
    },
    committed: () => Promise.resolve(new Map()),
    loads(from) {
      const sorted = loads.toSorted((a, b) => b.at - a.at);
      const before = sorted.findIndex(({ at }) => at < from);
      return Promise.resolve(before < 0 ? sorted : sorted.slice(0, before + 1));
    },
    purges: (from) => Promise.resolve(purges.filter(({ until }) => until >= from)),
  };
  return { use, ends: () => last, commits: () => commits };
}

function lineOf(record: StoredObject, file: string): Line {
  const at = parseTimestamp(String(record['at']));
  const { writer, seq } = record;
  if (at === undefined || typeof writer !== 'string' || typeof seq !== 'number') {
    throw new UsageError(
      `\`${file}\` holds a line that is no record`,
      'make one with `privity audit export --out log.ndjson`',
    );
  }
  return { record, at, writer, seq };
}

function pieceOf(lines: readonly Line[]): UsePiece {
  const uses = lines.flatMap((line) =>
    REPLAYED_KINDS.some((kind) => kind === line.record['kind']) ? [rowOf(line)] : [],
  );
  const islands = lines.map(({ writer, seq, at }): Island => ({ writer, from: seq, to: seq, begins: at, ends: at }));
  return { uses, islands, records: lines.length, reached: lines.at(-1)?.at ?? 0 };
}

function rowOf({ record, at }: Line): UseRow {
  const subject = objectOf(record['subject']);
  const resource = objectOf(record['resource']);
  const onFile = textsOf(record['on_file']);
  const fields = Array.isArray(record['fields']) ? record['fields'].map(objectOf) : [];
  return {
    kind: textOf(record['kind']) ?? '',
    outcome: textOf(record['outcome']),
    decidedBy: textsOf(record['decided_by']),
    grants: textsOf(record['grants']),
    action: textOf(record['action']),
    type: textOf(resource['type']),
    subject: textOf(subject['id']),
    matter: textOf(record['matter']),
    roles: onFile.includes('subject.roles') ? null : rolesIn(objectOf(subject['attributes'])['roles']),
    fields: fields.map((one) => ({ outcome: textOf(one['outcome']) ?? '', decidedBy: textsOf(one['decided_by']) })),
    count: 1,
    last: at,
  };
}
