// Reads UUIDs of rows as text, fast for the same one many times over. It must never be asked with less than 16 bytes.
import { uuidText } from '../../../core/record/uuid.ts';

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
