// Writes JSON Pointers (RFC 6901) to members of a body. It must never echo a hostile name at full length.

const LONGEST_NAME = 256;

export function joinPointer(...names: readonly (string | number)[]): string {
  return names.map((name) => `/${escape(String(name).slice(0, LONGEST_NAME))}`).join('');
}

function escape(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
