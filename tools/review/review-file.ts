// A review as the text of its file. It must never write a word that could be read as anything but text.
import type { AccessReview, ReviewedRight } from '../../src/model/access-review.ts';

/** Rights in one file: beyond that nobody reads it, and the service would not load the folder. */
export const MOST_RIGHTS = 5_000;

export function reviewText(review: AccessReview): string {
  const { id, scope, started_at, due, only_reviewer: only, revision, commit, window, rights } = review;
  const lines = [
    '# yaml-language-server: $schema=../../schemas/reviews.schema.json',
    '# An access review: evidence, kept in git. Decisions come with `privity review record`; comments stay.',
    'version: 1',
    'review:',
    `  id: ${id}`,
    `  scope: ${scope}`,
    `  started_at: ${quoted(started_at)}`,
    `  due: ${quoted(due)}`,
    ...(only === undefined ? [] : [`  only_reviewer: ${quoted(only)}`]),
    `  revision: ${quoted(revision)}`,
    `  commit: ${quoted(commit)}`,
    ...(window === null
      ? ['  window: null']
      : ['  window:', ...Object.entries(window).map(([name, time]) => `    ${name}: ${quoted(time)}`)]),
    ...(rights.length === 0 ? ['  rights: []'] : ['  rights:', ...rights.flatMap(rightLines)]),
  ];
  return `${lines.join('\n')}\n`;
}

function rightLines(right: ReviewedRight): readonly string[] {
  const { state, uses, id, ...texts } = right;
  const members = Object.entries(texts).flatMap(([name, text]) =>
    text === undefined ? [] : [`      ${name}: ${quoted(text)}`],
  );
  return [`    - id: ${quoted(id)}`, ...members, `      uses: ${uses ?? 'null'}`, `      state: ${state}`];
}

/** Every JSON string is one of YAML 1.2. Line separators, which only YAML takes for line ends, are escaped. */
export function quoted(text: string | null): string {
  if (text === null) return 'null';
  const json = JSON.stringify(text);
  return json.replaceAll(
    /[\u0085\u2028\u2029\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
