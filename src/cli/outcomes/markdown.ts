// Text of files as it reads on a page of Markdown. It must never let any of it be markup.

const SPECIAL = /[\\`*_{}[\]<>()#+!|~&@:$"'=^-]/g;

/** One line, in which nothing is markup but what stands between backticks, which is shown as code. */
export function markdownText(text: string): string {
  const parts = text.toWellFormed().split('`');
  // Where backticks do not pair, they are text like everything else.
  if (parts.length % 2 === 0) return escaped(text.toWellFormed());
  return parts.map((part, index) => (index % 2 === 0 ? escaped(part) : `<code>${escaped(part)}</code>`)).join('');
}

function escaped(text: string): string {
  return text
    .replaceAll(SPECIAL, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ');
}
