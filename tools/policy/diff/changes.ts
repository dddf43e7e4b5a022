// What was added, removed and changed between two policies folders, in plain English. It must never count what was only moved, reordered or commented.
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { SourceFile } from '../../../src/model/diagnostic.ts';
import { BESIDE_DECISIONS, entriesOf, isRecord, KINDS, sourceOf, type Entry, type Kind } from './entries.ts';
import { canonical, memberChanges, valueText } from './members.ts';
import { readersOfGroup, tellRule, tellRuleChange, tellTerm, type Told } from './rule-changes.ts';

export interface Change {
  readonly kind: Kind;
  readonly id: string;
  readonly what: 'added' | 'removed' | 'changed';
  /** `file:line` in each folder. */
  readonly old_source: string | null;
  readonly new_source: string | null;
  /** False: no decision reads it. */
  readonly decides: boolean;
  readonly lines: readonly string[];
}

export interface Changes {
  /** Of long lists of data only the first ten of each kind. */
  readonly list: readonly Change[];
  readonly counts: readonly {
    readonly kind: Kind;
    readonly added: number;
    readonly removed: number;
    readonly changed: number;
  }[];
  /** In another file than before, and otherwise the same. */
  readonly moved: number;
  /** Files that say the same in other bytes: comments, order, layout. */
  readonly rewritten: readonly string[];
}

export interface Side {
  readonly files: readonly SourceFile[];
  readonly set: PolicySet;
}

const MOST_OF_A_KIND = 10;
const ALWAYS_TOLD: ReadonlySet<Kind> = new Set(['rule', 'term', 'attribute', 'wall', 'lockdown']);

export function changesBetween(old: Side, now: Side): Changes {
  const [a, b] = [entriesOf(old.files), entriesOf(now.files)];
  const list: Change[] = [];
  const counts: Changes['counts'][number][] = [];
  const touched = new Set<string>();
  let moved = 0;
  for (const kind of KINDS) {
    const [before, after] = [a.get(kind) ?? new Map<string, Entry>(), b.get(kind) ?? new Map<string, Entry>()];
    const count = { added: 0, removed: 0, changed: 0 };
    for (const id of new Set([...before.keys(), ...after.keys()])) {
      const [left, right] = [before.get(id), after.get(id)];
      if (left !== undefined && right !== undefined && isSame(left, right)) {
        if (left.file.path !== right.file.path) moved++;
        continue;
      }
      const what = left === undefined ? 'added' : right === undefined ? 'removed' : 'changed';
      count[what]++;
      for (const entry of [left, right]) if (entry !== undefined) touched.add(entry.file.path);
      if (!ALWAYS_TOLD.has(kind) && count[what] > MOST_OF_A_KIND) continue;
      const { lines, decides } = tell(kind, id, left, right, [old.set, now.set]);
      list.push({
        ...{ kind, id, what },
        old_source: left === undefined ? null : sourceOf(left),
        new_source: right === undefined ? null : sourceOf(right),
        decides: decides && !BESIDE_DECISIONS.has(kind),
        lines,
      });
    }
    if (count.added + count.removed + count.changed > 0) counts.push({ kind, ...count });
  }
  return { list, counts, moved, rewritten: rewrittenFiles(old.files, now.files, touched) };
}

function isSame(left: Entry, right: Entry): boolean {
  return left.value === right.value || canonical(left.value, lastOf(left)) === canonical(right.value, lastOf(right));
}

function lastOf({ path }: Entry): string {
  return String(path.at(-1));
}

function rewrittenFiles(
  old: readonly SourceFile[],
  now: readonly SourceFile[],
  touched: ReadonlySet<string>,
): readonly string[] {
  const hashes = new Map(old.map(({ path, hash }) => [path, hash]));
  return now.flatMap(({ path, hash }) => {
    const before = hashes.get(path);
    return before === undefined || before === hash || touched.has(path) ? [] : [path];
  });
}

/** Members that only people read, by kind. */
const FOR_READERS: Readonly<Record<Kind, ReadonlySet<string>>> = {
  wall: new Set(['memo']),
  matter: new Set(['name']),
  grant: new Set(['reason']),
  person: new Set(['directory']),
  service: new Set(['description']),
  'AI assistant': new Set(['description']),
  attribute: new Set(['title', 'free_text', 'optional']),
  lockdown: new Set(['reason']),
};

function isForReaders(kind: Kind, member: string): boolean {
  const name = member.split('.', 1)[0] ?? '';
  return name === 'accept' || FOR_READERS[kind]?.has(name) === true;
}

const TITLES: ReadonlySet<Kind> = new Set(['role', 'action', 'resource type', 'consent list']);

function tell(
  kind: Kind,
  id: string,
  left: Entry | undefined,
  right: Entry | undefined,
  sets: readonly [PolicySet, PolicySet],
): Told {
  if (kind === 'rule') {
    const [before, after] = sets.map((set) => set.rules.find((one) => one.id === id));
    if (before !== undefined && after !== undefined) return tellRuleChange(sets, before, after);
    return before !== undefined ? tellRule(sets[0], before) : after !== undefined ? tellRule(sets[1], after) : NOTHING;
  }
  if (kind === 'term')
    return {
      decides: true,
      lines: tellTerm([left === undefined ? null : sets[0], right === undefined ? null : sets[1]], id),
    };
  if (kind.startsWith('group of '))
    return { decides: true, lines: [...membersOf(left, right), ...readersOfGroup(sets, id)] };
  const isChange = left !== undefined && right !== undefined;
  if (isChange && TITLES.has(kind))
    return { decides: false, lines: [`title: ${valueText(left.value)} → ${valueText(right.value)}`] };
  if (isChange && isRecord(left.value) && isRecord(right.value)) {
    const changes = memberChanges(left.value, right.value).map((change) => ({
      ...change,
      isRead: !isForReaders(kind, change.member),
    }));
    const decides = changes.some(({ isRead }) => isRead);
    const lines = changes.map(
      ({ member, text, isRead }) => `${member}: ${text}${isRead ? '' : ' (no effect on decisions)'}`,
    );
    return { decides, lines };
  }
  return { decides: true, lines: membersOf(left, right) };
}

const NOTHING: Told = { lines: [], decides: false };

function membersOf(left: Entry | undefined, right: Entry | undefined): readonly string[] {
  if (left !== undefined && right !== undefined)
    return memberChanges(left.value, right.value).map(({ member, text }) =>
      member === '' ? text : `${member}: ${text}`,
    );
  const value = (right ?? left)?.value;
  if (!isRecord(value)) return [valueText(value)];
  return Object.entries(value).flatMap(([name, one]) => (name === 'id' ? [] : [`${name}: ${valueText(one)}`]));
}
