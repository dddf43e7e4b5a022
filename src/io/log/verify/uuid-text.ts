// The text of a UUID from its 16 bytes, fast for the same one many times over. It must never be asked with less than 16 bytes.

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function uuidText(bytes: Uint8Array, at: number): string {
  let text = '';
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += '-';
    text += HEX[bytes[at + index] ?? 0] ?? '';
  }
  return text;
}

/** Remembers the last one: rows of one writer follow each other. */
export function createUuidReader(): (bytes: Uint8Array, at: number) => string {
  const last = new Uint8Array(16);
  let text = uuidText(last, 0);
  return (bytes, at) => {
    let isSame = true;
    for (let index = 0; index < 16; index++) {
      if (bytes[at + index] === last[index]) continue;
      last[index] = bytes[at + index] ?? 0;
      isSame = false;
    }
    if (!isSame) text = uuidText(last, 0);
    return text;
  };
}
