// Says what each role of the service may do in the database, as RECORD's roles want it and the migrations grant it. It must never hold
// more than the migrations do: test/cli/doctor/roles.test.ts compares them.
import type { RoleName } from './roles.ts';

/** True: the whole table; a list: these columns only. */
type Right = true | readonly string[];

export interface TableGrants {
  readonly select?: Right;
  readonly insert?: Right;
}

export interface RoleGrants {
  readonly tables: Readonly<Record<string, TableGrants>>;
  /** Functions that run with their owner's rights. */
  readonly functions: readonly string[];
}

const READ: TableGrants = { select: true };
const APPEND: TableGrants = { insert: true, select: true };
const HISTORY = { schema_migrations: READ };

/** The owner is left out: everything is its own. */
export const GRANTS: Readonly<Record<Exclude<RoleName, 'owner'>, RoleGrants>> = {
  writer: {
    tables: {
      decisions: { insert: true, select: ['id', 'writer', 'seq'] },
      commitments: APPEND,
      heads: { insert: true, select: ['writer', 'seq', 'hash'] },
      policy_blobs: { insert: true, select: ['hash'] },
      policy_sets: { insert: true, select: ['revision'] },
      approvals: APPEND,
      approval_uses: { insert: true, select: ['approval_id'] },
      deliveries: { insert: true, select: ['record_id'] },
      ...HISTORY,
    },
    functions: ['ensure_partitions'],
  },
  reader: {
    tables: {
      decisions: READ,
      commitments: READ,
      heads: READ,
      leaves: READ,
      checkpoints: READ,
      tree_nodes: READ,
      policy_blobs: READ,
      policy_sets: READ,
      approvals: READ,
      approval_uses: READ,
      deliveries: READ,
      ...HISTORY,
    },
    functions: [],
  },
  sealer: {
    tables: { commitments: READ, heads: READ, leaves: APPEND, checkpoints: APPEND, tree_nodes: APPEND, ...HISTORY },
    functions: [],
  },
};
