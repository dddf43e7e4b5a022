// Lays text out for a terminal: tables, wrapped paragraphs, counts. It must never print.

/** Columns as wide as their widest cell, two spaces between them; the last column is left ragged. */
export function table(rows: readonly (readonly string[])[], indent = ''): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)));
  }
  return rows.map((row) => {
    const cells = row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)));
    return `${indent}${cells.join('  ')}`.trimEnd();
  });
}

/** A two-column table whose second column is wrapped to the width. */
export function definitions(rows: readonly (readonly [string, string])[], width: number, indent = '  '): string[] {
  const left = Math.max(0, ...rows.map(([term]) => term.length));
  const gap = `${indent}${' '.repeat(left)}  `;
  return rows.flatMap(([term, text]) => {
    const [first = '', ...rest] = wrap(text, Math.max(30, width - gap.length));
    return [`${indent}${term.padEnd(left)}  ${first}`.trimEnd(), ...rest.map((line) => `${gap}${line}`)];
  });
}

export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** `1 rule`, `2 rules`, `12,000 matters`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? one : many}`;
}

/** Everything that a terminal would take as an order, and line ends, made visible: what files and tokens say is no markup. */
export function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}
