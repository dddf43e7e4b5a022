// Says of every comment to what it belongs, so that two ways of writing the same file can be compared. It must never look at meaning.
import { isMap, isSeq } from 'yaml';
import type { Path } from '../../../src/core/report.ts';
import { collectionsOf, commentsOf, nameOf, startOf } from './syntax.ts';

interface Mark {
  readonly offset: number;
  readonly path: Path;
}

/**
 * Each comment with its place, sorted: what follows a comment that stands alone, what a comment behind something follows. Within
 * brackets only the whole counts.
 */
export function attachedComments(text: string): readonly string[] {
  const marks = marksOf(text);
  const seen = new Map<string, number>();
  return commentsOf(text)
    .map((comment) => {
      const owner = comment.isAlone ? after(marks, comment.offset) : before(marks, comment.offset);
      // Above the first member stands what is said about the whole file, whichever member that is.
      const isHead = comment.isAlone && comment.offset < (marks[0]?.offset ?? 0);
      const place = isHead ? 'head' : `${comment.isAlone ? 'before' : 'behind'} ${JSON.stringify(owner)}`;
      // Several before the same line keep their order.
      const order = seen.get(place) ?? 0;
      seen.set(place, order + 1);
      return `${place} ${order} ${comment.text}`;
    })
    .toSorted();
}

/** Where members and entries that have a line of their own begin, in the order of the text. */
function marksOf(text: string): readonly Mark[] {
  const marks: Mark[] = [];
  const add = (node: unknown, path: Path): void => {
    const offset = startOf(node);
    if (offset !== null) marks.push({ offset, path });
  };
  for (const { node, path } of collectionsOf(text)) {
    if (node.flow === true) continue;
    if (isMap(node)) for (const pair of node.items) add(pair, [...path, nameOf(pair)]);
    if (isSeq(node)) node.items.forEach((item, index) => add(item, [...path, index]));
  }
  return marks.toSorted((a, b) => a.offset - b.offset || a.path.length - b.path.length);
}

/** Of what begins at one place, the whole: a comment before `- id: …` is about the entry. */
function after(marks: readonly Mark[], offset: number): Path | null {
  return marks.find((mark) => mark.offset > offset)?.path ?? null;
}

/** Of what begins at one place, the innermost: a comment behind `- id: x` is about the id. */
function before(marks: readonly Mark[], offset: number): Path | null {
  return marks.findLast((mark) => mark.offset <= offset)?.path ?? null;
}
