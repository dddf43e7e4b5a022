// What a verifier says is wrong, and what to do about it. It must never say more than what was found proves.

/** docs/audit.md defines each. */
export type TamperKind =
  | 'edit'
  | 'deletion'
  | 'insertion'
  | 'reordering'
  | 'cut_tail'
  | 'rewound_database'
  | 'full_recomputation'
  | 'forged_checkpoint'
  | 'sequence_gap'
  | 'columns_disagree';

export type TamperedThing =
  | 'record'
  | 'commitment'
  | 'leaf'
  | 'head'
  | 'writer'
  | 'checkpoint'
  | 'tree node'
  | 'policy set'
  | 'policy file'
  | 'export';

export interface Place {
  readonly writer: string;
  readonly seq: number;
}

export interface Finding {
  readonly kind: TamperKind;
  readonly thing: TamperedThing;
  /** Of the record; null where no one record is meant. */
  readonly place: Place | null;
  /** The record's place in the tree; null while it is not known or has none. */
  readonly leaf: number | null;
  /** Of the record, where its bytes tell. */
  readonly id: string | null;
  readonly detail: string;
}

export const WHAT_TO_DO: Readonly<Record<TamperKind, string>> = {
  edit: 'Keep the database as it is, for evidence. Restore what was changed from a backup that verifies, into another database, and compare.',
  deletion:
    'Keep the database as it is. Look for the record in a backup that verifies; what the purge records name may be gone, this may not.',
  insertion:
    'Do not rely on what was inserted: no writer of Privity has signed it. Find out who could write to the database.',
  reordering: 'Keep the database as it is, and restore the order from a backup that verifies.',
  cut_tail:
    'Records are lost at the end. Restore a backup that is newer than the cut, or treat the time after it as not proven.',
  rewound_database:
    'An older state of the database is in use. Find out who restored it and why; what was decided after it is only in what was published and in callers’ own logs.',
  full_recomputation:
    'Whoever did this could write everything in the database, and may have had a key. Trust only what verifies against checkpoints kept outside; restore the rest from a backup that does.',
  forged_checkpoint:
    'Find out who can write where checkpoints are published. If the signature is good, the checkpoint key is in other hands: rotate it now (docs/audit.md).',
  sequence_gap:
    'Records are missing without any trace. Restore from a backup that verifies, and keep the database as it is.',
  columns_disagree:
    'The proven bytes are right and the columns are not: searches and reports over them are wrong. Correct the columns from the bytes after securing the evidence.',
};

/** In the order of the tree; what is not sealed comes after, then what is about no record. */
export function compareFindings(a: Finding, b: Finding): number {
  const byLeaf = (a.leaf ?? Number.POSITIVE_INFINITY) - (b.leaf ?? Number.POSITIVE_INFINITY);
  if (byLeaf !== 0 && !Number.isNaN(byLeaf)) return byLeaf;
  if (a.place === null || b.place === null) return Number(a.place === null) - Number(b.place === null);
  if (a.place.writer !== b.place.writer) return a.place.writer < b.place.writer ? -1 : 1;
  return a.place.seq - b.place.seq;
}
