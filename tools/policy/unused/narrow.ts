// Turns findings into the changes of files that take the unused rights away. It must never touch a wall, a deny, or anything that was not found
// unused.
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { createReport, type Place } from '../../../src/core/report.ts';
import { fileFormat } from '../../../src/core/file-kind.ts';
import type { SourceFile } from '../../../src/model/diagnostic.ts';
import type { NameKind } from '../../../src/core/vocabulary.ts';
import type { Edit } from './cut.ts';
import type { Finding } from './judge.ts';
import { openCsv, openNdjson, type RowsText } from './rows-text.ts';
import { openYaml, type Steps, type YamlText } from './yaml-text.ts';

export interface NarrowedFile {
  readonly file: SourceFile;
  /** Without a byte order mark. */
  readonly text: string;
  readonly edits: readonly Edit[];
}

export interface Narrowed {
  readonly files: readonly NarrowedFile[];
  /** What is written in a way that only a person can change. */
  readonly byHand: readonly Finding[];
}

const KINDS: Readonly<Record<string, NameKind>> = {
  roles_of_rule: 'role',
  actions_of_rule: 'action',
  resources_of_rule: 'resource type',
  actions_of_grant: 'action',
};

export function narrow(set: PolicySet, proposed: readonly Finding[]): Narrowed {
  const byHand: Finding[] = [];
  const files = [...Map.groupBy(proposed, ({ place }) => place.file)].map(([file, findings]): NarrowedFile => {
    const text = new TextDecoder('utf-8').decode(file.bytes);
    const format = fileFormat(file.path);
    const change =
      format === 'csv' || format === 'ndjson'
        ? rowChanger(file, format === 'csv' ? openCsv(text) : openNdjson(text))
        : yamlChanger(set, openYaml(text));
    const edits: Edit[] = [];
    // Items of one list go at once: what stands between two of them belongs to both.
    for (const group of Map.groupBy(findings, listOf).values()) {
      const made = change(group);
      if (made === null) byHand.push(...group);
      else edits.push(...made);
    }
    return { file, text, edits };
  });
  return {
    files: files.filter(({ edits }) => edits.length > 0).sort((a, b) => (a.file.path < b.file.path ? -1 : 1)),
    byHand,
  };
}

type Change = (group: readonly Finding[]) => readonly Edit[] | null;

/** Whole entries are grouped by the list that they stand in, people by the team, names of a list by themselves. */
function listOf({ kind, place }: Finding): string {
  const { path } = place;
  return kind === 'rule' || kind === 'grant' || kind === 'case'
    ? `in ${JSON.stringify(path.slice(0, -1))}`
    : `of ${JSON.stringify(path)}`;
}

function yamlChanger(set: PolicySet, text: YamlText | null): Change {
  return (group) => {
    const [first] = group;
    if (text === null || first === undefined) return null;
    const { kind, place, used } = first;
    if (kind === 'rule' || kind === 'grant' || kind === 'case') {
      return text.cutItems(place.path.slice(0, -1), new Set(group.map((one) => Number(one.place.path.at(-1)))));
    }
    if (kind === 'membership') {
      const gone = new Set(group.flatMap(({ names }) => names));
      return text.cutItems(
        [...place.path, 'team'],
        indexesOf(valueAt(place, 'team'), (name) => gone.has(name)),
      );
    }
    const names = KINDS[kind];
    return names === undefined ? null : narrowList(set, text, place, names, used);
  };
}

/** A group of which only some members were used gives way to these. */
function narrowList(
  set: PolicySet,
  text: YamlText,
  place: Place,
  kind: NameKind,
  used: ReadonlySet<string>,
): readonly Edit[] | null {
  const value = valueAt(place);
  const every = kind === 'action' ? set.firm.names.actions : set.firm.names.resourceTypes;
  if (!Array.isArray(value)) {
    const kept = [...every.keys()].filter((name) => used.has(name));
    return text.replaceValue(place.path, `[${kept.join(', ')}]`);
  }
  const kept = value.map((name) => [...set.firm.names.expand(kind, [String(name)], place, createReport())]);
  const gone = indexesOf(value, (_, index) => kept[index]?.every((name) => !used.has(name)) === true);
  const cut = gone.size === 0 ? [] : text.cutItems(place.path, gone);
  if (cut === null) return null;
  const replaced: Edit[] = [];
  for (const [index, names] of kept.entries()) {
    const left = names.filter((name) => used.has(name));
    if (gone.has(index) || left.length === names.length) continue;
    const edits = text.replaceItem(place.path, index, left);
    if (edits === null) return null;
    replaced.push(...edits);
  }
  return [...cut, ...replaced];
}

function rowChanger(file: SourceFile, text: RowsText): Change {
  return (group) => {
    const [first] = group;
    if (first === undefined) return null;
    const { kind, place, names } = first;
    const lineOf = (of: Place): number => file.locate(of.path.slice(0, 2)).line;
    if (kind === 'grant') return all(group.map((one) => text.cutRow(lineOf(one.place))));
    if (kind === 'membership') return text.cutNames(lineOf(place), 'team', new Set(group.flatMap((one) => one.names)));
    return kind === 'actions_of_grant' ? text.cutNames(lineOf(place), 'actions', new Set(names)) : null;
  };
}

function all(edits: readonly (readonly Edit[] | null)[]): readonly Edit[] | null {
  return edits.some((one) => one === null) ? null : edits.flatMap((one) => one ?? []);
}

function valueAt({ file, path }: Place, ...more: Steps): unknown {
  return [...path, ...more].reduce<unknown>(
    (from, step) => (typeof from === 'object' && from !== null ? Reflect.get(from, step) : undefined),
    file.value,
  );
}

function indexesOf(list: unknown, isGone: (name: string, index: number) => boolean): ReadonlySet<number> {
  const names: readonly unknown[] = Array.isArray(list) ? list : [];
  return new Set(names.flatMap((name, index) => (isGone(String(name), index) ? [index] : [])));
}
