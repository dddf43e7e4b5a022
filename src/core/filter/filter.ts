// Answers "which of these rows?" with a condition on their columns: a row passes exactly when `decide` allows the request that has the row's
// values as properties. It must never widen what it cannot say.
import { hash } from 'node:crypto';
import type { FilterKind, FilterTarget } from '../../model/filter.ts';
import { SLOT } from '../dictionary.ts';
import type { PolicySet } from '../policy-set.ts';
import { canonicalize } from '../record/canonical.ts';
import { expiryOf } from './expiry.ts';
import { leavesOf, type Formula } from './formula.ts';
import { rowsAllowed } from './rows.ts';
import { createSituations, type FilterQuestion, type Mapping, type Situations } from './situations.ts';
import { notTranslatable } from './target.ts';
import { writeElasticsearch } from './to-elasticsearch.ts';
import { writePostgres } from './to-postgres.ts';
import { writeUcast } from './to-ucast.ts';

export type { FilterQuestion, Mapping };

/** In which form, and with which names. */
export interface FilterForm {
  readonly target: FilterTarget;
  readonly mapping: Mapping;
  /** Null: there is none, or another target. */
  readonly matters: { readonly table: string; readonly id: string } | null;
  readonly firstParameter: number;
}

export interface Filter {
  readonly kind: FilterKind;
  /** The member that the target has in the answer; nothing unless the filter is conditional. */
  readonly members: Readonly<Record<string, unknown>>;
  readonly conditions: number;
  /** SHA-256 of kind and members in canonical form, lower-case hex. */
  readonly hash: string;
  /** Milliseconds since 1970, tokens left out. */
  readonly expiresAt: number;
}

/** @throws PrivityError `filter_not_translatable` */
export function* deriveFilter(set: PolicySet, question: FilterQuestion, form: FilterForm): Generator<void, Filter> {
  const situations = createSituations(set, question, form.mapping);
  const formula = yield* rowsAllowed(set, situations);
  const kind = formula.op !== 'const' ? 'conditional' : formula.value ? 'always_allowed' : 'always_denied';
  const members = kind === 'conditional' ? written(formula, form, situations) : {};
  return {
    kind,
    members,
    conditions: [...leavesOf(formula)].length,
    hash: hash('sha256', canonicalize({ kind, ...members }), 'hex'),
    expiresAt: expiryOf(set, situations),
  };
}

function written(formula: Formula, form: FilterForm, situations: Situations): Readonly<Record<string, unknown>> {
  // A part that cannot be said spoils the whole, wherever it stands.
  for (const leaf of leavesOf(formula)) if (leaf.op === 'refused') throw notTranslatable(leaf.reason);
  const { matters, firstParameter: first } = form;
  switch (form.target) {
    case 'ucast':
      return { condition: writeUcast(formula) };
    case 'elasticsearch':
      return { query: writeElasticsearch(formula) };
    case 'postgresql': {
      const matterColumn = situations.ofResource(null).fields[SLOT.matterId]?.column ?? null;
      return { sql: writePostgres(formula, { matters, matterColumn, first }) };
    }
  }
}
