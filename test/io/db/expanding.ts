// Tells which statements of a migration may run while services of the version before work on the same tables. It must never let one
// pass that it does not know to be short: the list is of what is allowed.

/** One line for each statement that may not stand in a migration that expands; empty when all may. */
export function judgeExpanding(sql: string): readonly string[] {
  const statements = statementsOf(sql);
  const made = new Set(
    statements.flatMap((one) => /^create (?:table (?:if not exists )?|function )(\S+?)\s*\(/.exec(one)?.[1] ?? []),
  );
  return statements.filter((one) => !isShort(one, made)).map((one) => one.slice(0, 120));
}

const COLUMN = /^add column (?:if not exists )?[a-z_]+ [a-z]+(?:\[\])?(?: default (?:'[^']*'|-?\d+|true|false|null))?$/;
/** Looks at no row; rows of now are checked by a migration of its own (`validate constraint`), which blocks nobody. */
const CONSTRAINT = /^add constraint [a-z_]+ .* not valid$/;
const ALWAYS = /^(?:create (?:or replace )?function |grant |comment on |create type |create (?:or replace )?view )/;
/** On the parent of partitions alone: looks at no row. The partitions get theirs beside the writers (partition-indexes.ts). */
const ON_PARENT = /^create index \S+ on only public\.decisions /;

function isShort(statement: string, made: ReadonlySet<string>): boolean {
  if (ALWAYS.test(statement) || ON_PARENT.test(statement) || statement.startsWith('create table ')) return true;
  const on =
    /^create (?:unique )?index (?:\S+ )?on (\S+)/.exec(statement) ??
    /^create trigger \S+ .*? on (\S+)/.exec(statement) ??
    /^insert into (\S+)/.exec(statement) ??
    /^alter table (?:only )?(\S+)/.exec(statement) ??
    /^revoke .* on (?:function )?(\S+?)(?:\(.*\))? from /.exec(statement);
  const [, table = ''] = on ?? [];
  if (table !== '' && made.has(table)) return true;
  const [, changes] = /^alter table \S+ (.*)$/.exec(statement) ?? [];
  if (changes === undefined) return false;
  return changes.startsWith('validate constraint')
    ? /^validate constraint [a-z_]+$/.test(changes)
    : changes
        .split(/, (?=(?:add|alter|drop|validate|set|rename) )/)
        .every((one) => COLUMN.test(one) || CONSTRAINT.test(one));
}

/** Comments and bodies of functions left out, white space made one, in lower case. */
function statementsOf(sql: string): readonly string[] {
  return sql
    .replaceAll(/\$(\w*)\$[\s\S]*?\$\1\$/g, `''`)
    .replaceAll(/--[^\n]*/g, '')
    .split(';')
    .map((one) => one.replaceAll(/\s+/g, ' ').trim().toLowerCase())
    .filter((one) => one !== '');
}
