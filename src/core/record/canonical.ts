// The canonical form of JSON (RFC 8785, JCS) that records are hashed in. It must never accept a value that JSON or
// Postgres would not give back as it was: what it cannot hold it refuses, it never drops or repairs.

/** One or more neighbouring members of an object in canonical form: the name of the first, and `"name":value,…`. */
export interface CanonicalMember {
  readonly name: string;
  readonly text: string;
}

type PlainObject = Readonly<Record<string, unknown>>;

/** Deeper than any record; also what ends a cycle. */
const MAX_DEPTH = 64;

/** Text that is its own canonical form (RFC 8259, 7): most names and values. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** Canonical JSON text of a value. Throws a TypeError that names the path of what JSON cannot hold. */
export function canonicalize(value: unknown): string {
  if (typeof value === 'string') return quote(value, '');
  // The engine's own serialiser writes what RFC 8785, 3.2.2 asks for, several times faster than concatenation here would.
  // It keeps members in their order, though, and silently drops or escapes what must be refused.
  const arranged = arrange(value, 0);
  if (arranged === undefined) return write(value, '', 0);
  const text = JSON.stringify(arranged);
  // Where something was escaped it may be U+0000 or half a surrogate pair.
  return text.includes('\\') ? write(value, '', 0) : text;
}

/**
 * The members of an object in canonical order (RFC 8785, 3.2.3: by UTF-16 code units of their names).
 * Those that no border lies between come as one text, which is faster than one by one.
 * @param borders names of members to be joined with these, in canonical order
 */
export function canonicalMembers(object: PlainObject, borders: readonly string[]): readonly CanonicalMember[] {
  if (!isPlainObject(object)) throw refusal('', 'is not a plain object');
  const names = Object.keys(object);
  sortNames(names);
  const members: CanonicalMember[] = [];
  let first: string | null = null;
  let stretch: Record<string, unknown> = {};
  let passed = 0;
  const close = (): void => {
    if (first !== null) members.push({ name: first, text: canonicalize(stretch).slice(1, -1) });
    first = null;
    stretch = {};
  };
  for (const name of names) {
    if (name === '__proto__') throw refusal('/__proto__', 'cannot be the name of a member');
    for (let border = borders[passed]; border !== undefined && border <= name; border = borders[++passed]) close();
    first ??= name;
    stretch[name] = object[name];
  }
  close();
  return members;
}

/** Two sorted lists of members, of different names, as one object. */
export function joinMembers(left: readonly CanonicalMember[], right: readonly CanonicalMember[]): string {
  const texts: string[] = []; // joined at once: adding to a string makes it a tree that has to be walked afterwards
  let index = 0;
  for (const member of left) {
    for (let next = right[index]; next !== undefined && next.name <= member.name; next = right[++index]) {
      if (next.name === member.name) throw refusal(`/${member.name}`, 'is given twice');
      texts.push(next.text);
    }
    texts.push(member.text);
  }
  for (; index < right.length; index++) texts.push(right[index]?.text ?? '');
  return `{${texts.join(',')}}`;
}

/** The value with all members in canonical order (the same one if they are), or undefined if `write` has to look at it. */
function arrange(value: unknown, depth: number): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'object' || depth === MAX_DEPTH) return undefined;
  return Array.isArray(value) ? arrangeArray(value, depth + 1) : arrangeObject(value, depth + 1);
}

function arrangeArray(items: readonly unknown[], depth: number): readonly unknown[] | undefined {
  let copy: unknown[] | undefined;
  // By index, so that a hole is met, as undefined.
  for (let index = 0; index < items.length; index++) {
    const item = items[index];
    if (typeof item === 'string') continue;
    const arranged = arrange(item, depth);
    if (arranged === undefined) return undefined;
    if (arranged === item) continue;
    copy ??= items.slice();
    copy[index] = arranged;
  }
  return copy ?? items;
}

function arrangeObject(object: object, depth: number): PlainObject | undefined {
  if (!isPlainObject(object)) return undefined;
  const inOrder = isInOrder(object) ? object : reorder(object);
  if (inOrder === undefined) return undefined;
  let copy: Record<string, unknown> | undefined;
  for (const name in inOrder) {
    const value = inOrder[name];
    if (typeof value === 'string' || value === null) continue;
    const arranged = arrange(value, depth);
    if (arranged === undefined) return undefined;
    if (arranged === value) continue;
    copy ??= { ...inOrder };
    copy[name] = arranged;
  }
  return copy ?? inOrder;
}

/** Most objects of a record are built in order: looking costs a fraction of copying. */
function isInOrder(object: PlainObject): boolean {
  let last = '';
  for (const name in object) {
    if (name <= last) return false;
    last = name;
  }
  return true;
}

function reorder(object: PlainObject): PlainObject | undefined {
  const names = Object.keys(object);
  sortNames(names);
  // Objects put integer names first and take __proto__ for something else: those cannot be copied into order.
  if (names.some((name) => name === '__proto__' || (name >= '0' && name < ':'))) return undefined;
  const copy: Record<string, unknown> = {};
  for (const name of names) copy[name] = object[name];
  return copy;
}

/** Binary insertion sort by UTF-16 code units, for names are few and mostly in order. */
function sortNames(names: string[]): void {
  for (let index = 1; index < names.length; index++) {
    const name = names[index] ?? '';
    if ((names[index - 1] ?? '') < name) continue;
    let low = 0;
    for (let high = index - 1; low < high;) {
      const middle = (low + high) >> 1;
      if ((names[middle] ?? '') < name) low = middle + 1;
      else high = middle;
    }
    for (let place = index; place > low; place--) names[place] = names[place - 1] ?? '';
    names[low] = name;
  }
}

/** The same text, slowly and with an eye on everything that has to be refused. */
function write(value: unknown, path: string, depth: number): string {
  if (typeof value === 'string') return quote(value, path);
  if (typeof value === 'boolean' || value === null) return `${value}`;
  if (typeof value === 'number') {
    // ECMAScript's number to string is the canonical form (RFC 8785, 3.2.2.3); it turns -0 into 0, as JCS wants.
    if (Number.isFinite(value)) return `${value}`;
    throw refusal(path, `is ${value}`);
  }
  if (typeof value !== 'object') throw refusal(path, `is of type ${typeof value}`);
  if (depth === MAX_DEPTH) throw refusal(path, 'is nested too deeply');
  return Array.isArray(value) ? writeArray(value, path, depth + 1) : writeObject(value, path, depth + 1);
}

function writeArray(items: readonly unknown[], path: string, depth: number): string {
  return `[${Array.from(items, (item, index) => write(item, `${path}/${index}`, depth)).join(',')}]`;
}

function writeObject(object: object, path: string, depth: number): string {
  if (!isPlainObject(object)) throw refusal(path, 'is not a plain object');
  const names = Object.keys(object).sort();
  return `{${names.map((name) => `${quote(name, path)}:${write(object[name], `${path}/${name}`, depth)}`).join(',')}}`;
}

function quote(text: string, path: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (text.includes('\u0000')) throw refusal(path, 'holds U+0000');
  if (!text.isWellFormed()) throw refusal(path, 'holds half a surrogate pair');
  return JSON.stringify(text);
}

function isPlainObject(value: object): value is PlainObject {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function refusal(path: string, problem: string): TypeError {
  return new TypeError(`cannot be recorded: ${path === '' ? 'the value' : path} ${problem}`);
}
