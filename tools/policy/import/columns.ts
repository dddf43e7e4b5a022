// Says which column of an export becomes which member of a data file. It must never drop a column that looks like one it knows.
import type { AttributeType } from '../../../src/core/attribute-types.ts';
import type { Dictionary } from '../../../src/core/dictionary.ts';
import { nearest } from '../../../src/core/suggest.ts';
import { UsageError } from '../../../src/cli/shell/verb.ts';
import type { Table } from './table.ts';

export type Subject = 'people' | 'matters' | 'teams';

export interface Target {
  readonly name: string;
  /** From the entry inwards. */
  readonly path: readonly string[];
  readonly type: AttributeType;
  /** Only where somebody asks for it by name. */
  readonly onRequest?: true;
}

export interface Column {
  readonly index: number;
  readonly target: Target;
}

/** What the user said with `--map`. */
export interface Wish {
  readonly subject: Subject | null;
  readonly column: string;
  readonly target: string;
}

const TEXT: AttributeType = { kind: 'string' };
const PERSON: AttributeType = { kind: 'person' };
const PEOPLE: AttributeType = { kind: 'list', items: PERSON };

export function targetsOf(subject: Subject, { declared }: Dictionary): readonly Target[] {
  const attributes = (namespace: 'subject' | 'resource') =>
    declared.filter((one) => one.namespace === namespace && one.type.kind !== 'object');
  switch (subject) {
    case 'people':
      return [
        { name: 'id', path: ['id'], type: PERSON },
        ...attributes('subject').flatMap(({ name, type }): Target[] => [
          { name, path: ['directory', name], type },
          { name: `directory.${name}`, path: ['directory', name], type },
          { name: `instead_of_token.${name}`, path: [name], type },
        ]),
      ];
    case 'matters':
      return [
        { name: 'id', path: ['id'], type: TEXT },
        { name: 'client_id', path: ['client_id'], type: TEXT },
        { name: 'name', path: ['name'], type: TEXT, onRequest: true },
        { name: 'practice_group', path: ['practice_group'], type: TEXT },
        { name: 'responsible_attorney', path: ['responsible_attorney'], type: PERSON },
        { name: 'proposing_partner', path: ['proposing_partner'], type: PERSON },
        { name: 'team', path: ['team'], type: PEOPLE },
        ...attributes('resource')
          .filter(({ name }) => name !== 'matter_id' && name !== 'client_id')
          .flatMap(({ name, type }): Target[] => [
            { name, path: ['properties', name], type },
            { name: `properties.${name}`, path: ['properties', name], type },
          ]),
      ];
    case 'teams':
      return [
        { name: 'matter_id', path: ['matter_id'], type: TEXT },
        { name: 'person_id', path: ['person_id'], type: PERSON },
      ];
  }
}

const NEEDED: Readonly<Record<Subject, readonly string[]>> = {
  people: ['id'],
  matters: ['id', 'client_id'],
  teams: ['matter_id', 'person_id'],
};

/** `Matter No=id, people:Login=id` */
export function readWishes(text: string | undefined): readonly Wish[] {
  if (text === undefined) return [];
  return text.split(',').map((one) => {
    const parts = /^\s*(?:(people|matters|teams):)?(.+?)\s*=\s*(\S+)\s*$/.exec(one);
    const [, subject, column, target] = parts ?? [];
    if (column === undefined || target === undefined)
      throw new UsageError(`\`${one.trim()}\` is no mapping`, 'write `--map "Matter No=id,people:Login=id"`');
    return {
      subject: subject === 'people' || subject === 'matters' || subject === 'teams' ? subject : null,
      column,
      target,
    };
  });
}

export interface Mapping {
  readonly columns: readonly Column[];
  /** Columns that nothing is taken from. */
  readonly unread: readonly string[];
  readonly used: ReadonlySet<Wish>;
}

/** @throws UsageError with everything that is wrong with the header */
export function mapColumns(subject: Subject, table: Table, dictionary: Dictionary, wishes: readonly Wish[]): Mapping {
  const targets = targetsOf(subject, dictionary);
  const names = targets.filter(({ onRequest }) => onRequest !== true).map(({ name }) => name);
  const problems: string[] = [];
  const columns: Column[] = [];
  const unread: string[] = [];
  const used = new Set<Wish>();
  const place = `${table.file}:${table.headerLine}`;
  for (const [index, header] of table.header.entries()) {
    const wish = wishes.find((one) => (one.subject ?? subject) === subject && fold(one.column) === fold(header));
    if (wish !== undefined) used.add(wish);
    const wanted = wish?.target ?? fold(header);
    const target = targets.find(({ name, onRequest }) => name === wanted && (wish !== undefined || onRequest !== true));
    if (target !== undefined) {
      const twin = columns.find((one) => one.target.path.join('.') === target.path.join('.'));
      if (twin !== undefined)
        problems.push(`${place} \`${table.header[twin.index] ?? ''}\` and \`${header}\` are both \`${target.name}\``);
      columns.push({ index, target });
      continue;
    }
    const near = nearest(wanted, names);
    if (wish !== undefined)
      problems.push(
        `${place} \`${wanted}\` is nothing that ${subject} have${near === undefined ? '' : `; did you mean \`${near}\`?`}`,
      );
    else if (near !== undefined && !columns.some((one) => one.target.name === near))
      problems.push(
        `${place} \`${header}\` is not read; if you mean \`${near}\`, add \`--map "${header}=${near}"\`, otherwise rename it`,
      );
    else unread.push(header);
  }
  for (const name of NEEDED[subject]) {
    if (columns.some(({ target }) => target.name === name)) continue;
    problems.push(`${place} no column is \`${name}\`; name one with \`--map "COLUMN=${name}"\``);
  }
  if (problems.length > 0) throw new UsageError('the columns are not clear', undefined, problems);
  return { columns, unread, used };
}

function fold(header: string): string {
  return header
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');
}
