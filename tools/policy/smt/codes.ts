// Gives every text a number: texts are only compared, so numbers say as much of them. It must never give two texts one number.
export interface Codes {
  of(text: string): number;
  /** Undefined: a number that no text has yet. */
  textOf(code: number): string | undefined;
  /** In the order of their codes, from 0. */
  all(): readonly string[];
}

export function createCodes(): Codes {
  const codes = new Map<string, number>();
  const texts: string[] = [];
  return {
    of(text) {
      const known = codes.get(text);
      if (known !== undefined) return known;
      codes.set(text, texts.length);
      return texts.push(text) - 1;
    },
    textOf: (code) => texts[code],
    all: () => texts,
  };
}
