// Says in an author's words why a value does not fit a schema. It must never pass over a part that does not fit.
import * as Type from 'typebox';
import type { TSchema } from 'typebox';
import { Check } from 'typebox/value';
import { Code, Slug } from '../model/firm.ts';
import type { Path } from './report.ts';
import { nearest } from './suggest.ts';

/** TypeBox's own error list ends after eight entries and names every branch of a union, hence this walk. */
export type Tell = (path: Path, code: string, message: string, hint?: string) => void;

const NAME_WORDS: ReadonlyMap<unknown, string | undefined> = new Map(
  [Slug, Code].map((name) => [textOption(name, 'pattern'), textOption(name, 'description')]),
);

export function explain(schema: TSchema, value: unknown, path: Path, tell: Tell): void {
  if (Check(schema, value)) return;
  let told = false;
  const note: Tell = (...problem) => {
    told = true;
    tell(...problem);
  };
  if (Type.IsUnion(schema)) explainUnion(schema, value, path, note);
  else if (Type.IsLiteral(schema))
    note(path, 'not-one-of', `${subject(path)} can only be ${quote(schema.const)}, ${found(value)}`);
  else if (kindOf(value) !== expectedKind(schema)) explainKind(schema, value, path, note);
  else if (Type.IsObject(schema) && isMap(value)) explainMembers(schema, value, path, note);
  else if (Type.IsRecord(schema) && isMap(value)) explainNames(schema, value, path, note);
  else if (Type.IsArray(schema) && Array.isArray(value)) explainList(schema, value, path, note);
  else if (Type.IsString(schema) && typeof value === 'string') explainText(schema, value, path, note);
  else if (Type.IsInteger(schema) || Type.IsNumber(schema)) explainNumber(schema, value, path, note);
  if (!told) tell(path, 'wrong-value', `${subject(path)} is not what the file format asks for, ${found(value)}`);
}

function explainMembers(schema: Type.TObject, value: Readonly<Record<string, unknown>>, path: Path, tell: Tell): void {
  const known = Object.keys(schema.properties);
  const absent = known.filter((name) => !Object.hasOwn(value, name));
  const meant = new Set<string>();
  const open = Type.ObjectOptions(schema).additionalProperties !== false;
  for (const [name, member] of Object.entries(value)) {
    const inner = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    if (inner !== undefined) explain(inner, member, [...path, name], tell);
    else if (!open) {
      const near = nearest(name, absent);
      if (near !== undefined) meant.add(near);
      const hint = near === undefined ? `known here: ${known.join(', ')}` : `did you mean \`${near}\`?`;
      tell([...path, name], 'unknown-member', `unknown member ${quote(name)} in ${subject(path)}`, hint);
    }
  }
  for (const name of requiredOf(schema)) {
    // A misspelt member is reported once, under the name it was given.
    if (absent.includes(name) && !meant.has(name)) {
      tell(
        path,
        'missing-member',
        `${subject(path)} lacks \`${name}\``,
        `add \`${name}\`: ${describe(schema.properties[name])}`,
      );
    }
  }
}

function explainNames(schema: Type.TRecord, value: Readonly<Record<string, unknown>>, path: Path, tell: Tell): void {
  const pattern = Type.RecordPattern(schema);
  const names = new RegExp(pattern, 'u');
  for (const [name, member] of Object.entries(value)) {
    if (names.test(name)) explain(Type.RecordValue(schema), member, [...path, name], tell);
    else if (Type.RecordOptions(schema).additionalProperties === false) {
      const words = NAME_WORDS.get(pattern);
      tell(
        [...path, name],
        'bad-name',
        `${quote(name)} cannot be a name in ${subject(path)}`,
        words && `allowed: ${words}`,
      );
    }
  }
}

function explainList(schema: Type.TArray, value: readonly unknown[], path: Path, tell: Tell): void {
  const { minItems = 0, maxItems = Infinity, uniqueItems } = Type.ArrayOptions(schema);
  for (const [index, entry] of value.entries()) explain(schema.items, entry, [...path, index], tell);
  if (value.length < minItems) {
    const message =
      minItems === 1 ? `${subject(path)} must not be empty` : `${subject(path)} needs at least ${minItems} entries`;
    tell(path, 'too-few', message);
  }
  if (value.length > maxItems) tell(path, 'too-many', `${subject(path)} can have at most ${maxItems} entries`);
  if (uniqueItems === true) {
    for (const [index, entry] of value.entries()) {
      if (value.indexOf(entry) < index)
        tell([...path, index], 'duplicate-entry', `${quote(entry)} stands twice in ${subject(path)}`);
    }
  }
}

function explainText(schema: Type.TString, value: string, path: Path, tell: Tell): void {
  const longest = Reflect.get(schema, 'maxLength');
  if (value === '') tell(path, 'empty-text', `${subject(path)} must not be empty`);
  else if (typeof longest === 'number' && value.length > longest) {
    tell(path, 'too-long', `${subject(path)} is longer than ${longest} characters`);
  } else if (textOption(schema, 'pattern') !== undefined) {
    const words = textOption(schema, 'description');
    tell(path, 'wrong-form', `${subject(path)} has the wrong form: ${quote(value)}`, words && `it must be ${words}`);
  }
}

function explainNumber(schema: TSchema, value: unknown, path: Path, tell: Tell): void {
  const least = Reflect.get(schema, 'minimum');
  if (Type.IsInteger(schema) && !Number.isInteger(value)) {
    tell(path, 'wrong-type', `${subject(path)} must be a whole number, ${found(value)}`);
  } else if (typeof least === 'number') {
    tell(path, 'out-of-range', `${subject(path)} must be ${least} or more, ${found(value)}`);
  }
}

/** One sentence for all alternatives, or the problems of the one alternative that was plainly meant. */
function explainUnion(schema: Type.TUnion, value: unknown, path: Path, tell: Tell): void {
  const meant = schema.anyOf
    .filter((option) => !Type.IsLiteral(option) && expectedKind(option) === kindOf(value))
    .map((option) => collect(option, value, path))
    .toSorted((a, b) => a.length - b.length);
  const [best, second] = meant;
  if (best !== undefined && (second === undefined || best.length < second.length)) {
    for (const problem of best) tell(...problem);
    return;
  }
  const literals = schema.anyOf.filter((option) => Type.IsLiteral(option)).map((option) => String(option.const));
  const near = typeof value === 'string' ? nearest(value, literals) : undefined;
  const code = literals.length === schema.anyOf.length ? 'not-one-of' : 'wrong-type';
  tell(
    path,
    code,
    `${subject(path)} must be ${describe(schema)}, ${found(value)}`,
    near && `did you mean \`${near}\`?`,
  );
}

function collect(schema: TSchema, value: unknown, path: Path): Parameters<Tell>[] {
  const problems: Parameters<Tell>[] = [];
  explain(schema, value, path, (...problem) => problems.push(problem));
  return problems;
}

function explainKind(schema: TSchema, value: unknown, path: Path, tell: Tell): void {
  let hint: string | undefined;
  if (value === null) hint = 'give it a value, or remove the line';
  else if (expectedKind(schema) === 'text' && typeof value !== 'object') hint = 'put it in quotes';
  else if (expectedKind(schema) === 'a list' && typeof value === 'string')
    hint = `write it in brackets: [${value.slice(0, 40)}]`;
  tell(path, 'wrong-type', `${subject(path)} must be ${describe(schema)}, ${found(value)}`, hint);
}

/** What authors call the thing a path leads to. */
function subject(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return 'the file';
  if (typeof last === 'string') return quote(last);
  const list = path.at(-2);
  return list === undefined ? `entry ${last + 1}` : `entry ${last + 1} of ${quote(list)}`;
}

function describe(schema: TSchema | undefined): string {
  if (schema === undefined) return 'a value';
  if (Type.IsLiteral(schema)) return quote(schema.const);
  if (Type.IsUnion(schema)) {
    const options = [...new Set(schema.anyOf.map(describe))];
    const one = schema.anyOf.every((option) => Type.IsLiteral(option)) ? 'one of ' : '';
    return options.length < 2 ? options.join('') : `${one}${options.slice(0, -1).join(', ')} or ${options.at(-1)}`;
  }
  const required = Type.IsObject(schema) ? requiredOf(schema) : [];
  return required.length > 0 ? `a map with ${required.map(quote).join(', ')}` : expectedKind(schema);
}

/** The kind a schema asks for; of alternatives of one kind that kind. */
function expectedKind(schema: TSchema): string {
  if (Type.IsUnion(schema)) {
    const kinds = new Set(schema.anyOf.map(expectedKind));
    return kinds.size === 1 ? [...kinds].join('') : 'one of several things';
  }
  if (Type.IsLiteral(schema)) return kindOf(schema.const);
  if (Type.IsObject(schema) || Type.IsRecord(schema)) return 'a map';
  if (Type.IsArray(schema)) return 'a list';
  if (Type.IsString(schema)) return 'text';
  if (Type.IsInteger(schema) || Type.IsNumber(schema)) return 'a number';
  return Type.IsBoolean(schema) ? 'true or false' : 'a value';
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return 'text';
  return typeof value === 'number' ? 'a number' : 'true or false';
}

function found(value: unknown): string {
  const scalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return scalar ? `found ${typeof value === 'string' ? 'the text ' : ''}${quote(value)}` : `found ${kindOf(value)}`;
}

function quote(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return `\`${text.length > 60 ? `${text.slice(0, 59)}…` : text}\``;
}

/** TypeBox leaves `required` out when no member is, whatever its type says. */
function requiredOf(schema: Type.TObject): readonly string[] {
  return Array.isArray(schema.required) ? schema.required : [];
}

function textOption(schema: TSchema, name: 'pattern' | 'description'): string | undefined {
  const value: unknown = Reflect.get(schema, name);
  return typeof value === 'string' ? value : undefined;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
