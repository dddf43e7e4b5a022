// Lists are read and compiled block by block: whatever was edited before, the outcome is that of a first reading.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { createCompileCache } from '../../../src/core/compile-cache.ts';
import { compilePolicies } from '../../../src/core/compile.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { parseCsv } from '../../../src/io/policies/csv-file.ts';
import { parseNdjson } from '../../../src/io/policies/json-file.ts';
import { createListMemory } from '../../../src/io/policies/list-file.ts';
import { parseSourceFile } from '../../../src/io/policies/parse.ts';
import { runAtOnce } from '../../../src/io/policies/slices.ts';
import { createProblems, decodeText } from '../../../src/io/policies/text.ts';
import { Matter } from '../../../src/model/data.ts';
import type { SourceFile } from '../../../src/model/diagnostic.ts';
import { smallFiles, sourceFiles } from '../../helpers/policies.ts';

type Format = 'csv' | 'ndjson';

/** A list as an editor holds it. */
interface Draft {
  readonly format: Format;
  readonly lines: readonly string[];
  readonly ending: string;
  readonly mark: boolean;
  readonly closed: boolean;
}

const HEADER = 'id,client_id,team,responsible_attorney,properties.level,properties.title';
const OTHER_HEADER = 'id,client_id,team,proposing_partner,properties.level,properties.title';
const filling = (n: number): string => `${n * 7919}`.repeat(20);

function row(format: Format, n: number, level = 'mid'): string {
  const team = [`u-${n % 40}`, `u-${n % 7}`];
  if (format === 'csv') return `L-${n},C-${n % 50},${team.join(';')},u-${n % 11},${level},${filling(n)}`;
  const properties = { level, title: filling(n) };
  return JSON.stringify({
    id: `L-${n}`,
    client_id: `C-${n % 50}`,
    team,
    responsible_attorney: `u-${n % 11}`,
    properties,
  });
}

function firstDraft(format: Format, rows = 600): Draft {
  const lines = Array.from({ length: rows }, (_, n) => row(format, n));
  return { format, lines: format === 'csv' ? [HEADER, ...lines] : lines, ending: '\n', mark: false, closed: true };
}

const bytesOf = ({ lines, ending, mark, closed }: Draft): Uint8Array =>
  new TextEncoder().encode(`${mark ? '\ufeff' : ''}${lines.join(ending)}${closed ? ending : ''}`);

/** What may happen between two readings; `n` is new, `from` and `to` are places in the list. */
type Edit = (draft: Draft, n: number, from: number, to: number) => Draft;

const put =
  (line: (format: Format, n: number, before: string) => string): Edit =>
  (draft, n, from) => ({
    ...draft,
    lines: draft.lines.toSpliced(from, 0, line(draft.format, n, draft.lines[from] ?? '')),
  });

const EDITS: Readonly<Record<string, Edit>> = {
  insert: put((format, n) => row(format, n)),
  quotes: put((format, n) =>
    format === 'csv' ? row(format, n).replace(/,mid,(.*)$/, ',mid,"two ""lines""\r\n$1"') : row(format, n),
  ),
  twice: (draft, _, from, to) => ({ ...draft, lines: draft.lines.toSpliced(to, 0, draft.lines[from] ?? '') }),
  remove: (draft, _, from, to) => ({ ...draft, lines: draft.lines.toSpliced(from, 1 + (to % 30)) }),
  change: (draft, n, from) => ({ ...draft, lines: draft.lines.with(from, row(draft.format, n)) }),
  move(draft, _, from, to) {
    const moved = draft.lines.slice(from, from + 50);
    return {
      ...draft,
      lines: draft.lines.toSpliced(from, 50).toSpliced(to % Math.max(1, draft.lines.length - 50), 0, ...moved),
    };
  },
  header: (draft) =>
    draft.format === 'csv'
      ? { ...draft, lines: draft.lines.with(0, draft.lines[0] === HEADER ? OTHER_HEADER : HEADER) }
      : draft,
  blank: put(() => ''),
  mark: (draft) => ({ ...draft, mark: !draft.mark }),
  ending: (draft) => ({ ...draft, ending: draft.ending === '\n' ? '\r\n' : '\n' }),
  closed: (draft) => ({ ...draft, closed: !draft.closed }),
  markWithin: put((format, n) => `\ufeff${row(format, n)}`),
  wrongLevel: put((format, n) => row(format, n, 'nowhere')),
  wrongShape: put((format, n) => (format === 'csv' ? `L-${n},,` : '{"id":5}')),
  brokenRow: put((format) => (format === 'csv' ? 'L-1,C-1,u-1' : '{"id":')),
  openQuote: put((_, n) => `"L-${n},C-1`),
  twoNames: put(() => '{"id":"L-1","id":"L-2"}'),
  nothing: put((_, n) => `L-${n}\u0000,C-1`),
};
const HARMLESS = ['insert', 'quotes', 'remove', 'change', 'move', 'header', 'blank', 'mark', 'ending', 'closed'];

const step = fc.record({
  name: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...HARMLESS) },
    { weight: 1, arbitrary: fc.constantFrom(...Object.keys(EDITS)) },
  ),
  from: fc.nat(10_000),
  to: fc.nat(10_000),
  /** Whether what was edited before is kept: a broken list is mended sooner or later. */
  back: fc.boolean(),
});

/** Where a diagnostic may point, and some places that no entry has. */
const placesIn = (file: SourceFile, count: number) =>
  [-1, ...Array.from({ length: count + 2 }, (_, index) => index)].map((index) =>
    file.locate(['matters', index, 'team']),
  );

/** Without functions, which are never equal. */
function seen(set: PolicySet | null): unknown {
  if (set === null) return null;
  const { matters, people, directory, assistants, grants } = set.data;
  return [set.revision, set.findings, [...matters], [...people], [...directory], [...assistants], grants.entries];
}

/** What stands beside the list, twice: other people on file, other walls. */
const otherFiles = [35, 38].map((known) =>
  sourceFiles(
    smallFiles([], {
      'data/people.csv': ['id,directory.amr[]', ...Array.from({ length: known }, (_, n) => `u-${n},mfa`), ''].join(
        '\n',
      ),
      'data/grants.ndjson': JSON.stringify({
        id: 'G-8',
        granted_to: 'u-1',
        matter_id: 'L-77',
        actions: ['read'],
        approved_by: 'u-2',
      }),
      'walls/walls.yaml': {
        walls: [3, 77, 300, 500 + known].map((n) => ({
          id: `W-${n}`,
          kind: 'exclusion',
          matter_id: `L-${n}`,
          excluded_people: [`u-${n % 40}`],
        })),
      },
    }),
  ),
);

t.test(
  'after any edits a list is what it is when it is read for the first time, and when it is read whole',
  async (t) => {
    let loaded = 0;
    const formats = fc.constantFrom<Format>('csv', 'ndjson');
    const property = fc.property(formats, fc.array(step, { minLength: 1, maxLength: 8 }), (format, steps) => {
      const path = `data/matters.${format}`;
      const memory = createListMemory();
      const cache = createCompileCache();
      let draft = firstDraft(format);
      const check = (bytes: Uint8Array, others: readonly SourceFile[] = []): void => {
        const again = parseSourceFile(path, bytes, memory);
        const first = parseSourceFile(path, bytes);
        const problems = createProblems(path);
        const text = decodeText(bytes, problems) ?? '';
        const whole = runAtOnce(
          format === 'csv' ? parseCsv(text, 'matters', Matter, problems) : parseNdjson(text, 'matters', problems),
        );
        const count = (again.value as { matters: unknown[] } | undefined)?.matters.length ?? 0;
        same('read again', again.value, first.value);
        same('read whole', again.value, whole.value);
        same('problems', again.problems, first.problems);
        same('problems of the whole', again.problems, problems.list);
        same('places', placesIn(again, count), placesIn(first, count));
        same('places in the whole', placesIn(again, count), placesIn({ ...first, ...whole }, count));
        const kept = compilePolicies([...others, again], { commit: null, cache });
        const fresh = compilePolicies([...others, first], { commit: null });
        const { blocks: _, ...unblocked } = first;
        const atOnce = compilePolicies([...others, { ...unblocked, ...whole }], { commit: null });
        same('diagnostics', kept.diagnostics, fresh.diagnostics);
        same('diagnostics of the whole', kept.diagnostics, atOnce.diagnostics);
        same('set', seen(kept.set), seen(fresh.set));
        if (kept.set !== null) loaded += 1;
      };
      check(bytesOf(draft), otherFiles[0]);
      for (const [index, { name, from, to, back }] of steps.entries()) {
        const { length } = draft.lines;
        const edited = EDITS[name]?.(draft, 10_000 + index, from % length, to % length) ?? draft;
        check(bytesOf(edited), otherFiles[to % 7 === 0 ? 1 : 0]);
        if (!back || HARMLESS.includes(name)) draft = edited.lines.length > 100 ? edited : firstDraft(format);
      }
    });
    fc.assert(property, { numRuns: 25 });
    t.ok(loaded > 40, `${loaded} lists without a mistake`);
  },
);

function same(what: string, left: unknown, right: unknown): void {
  if (!isDeepStrictEqual(left, right)) throw new Error(`${what}: ${JSON.stringify([left, right]).slice(0, 2_000)}`);
}

t.test('a change somewhere leaves all blocks but those beside it as they are', async (t) => {
  for (const format of ['csv', 'ndjson'] as const) {
    const draft = firstDraft(format, 2_000);
    for (const from of [5, 200, 700, 1_300, 1_999]) {
      const memory = createListMemory();
      const read = (one: Draft) => parseSourceFile(`data/matters.${format}`, bytesOf(one), memory).blocks ?? [];
      const before = read(draft);
      const after = read(EDITS['insert']?.(draft, 10_000, from, 0) ?? draft);
      const fresh = after.filter((block) => !before.includes(block)).length;
      t.ok(fresh >= 1 && fresh <= 3, `${format}, line ${from}: ${fresh} of ${after.length} blocks are new`);
      t.ok(after.length > 8);
    }
  }
});

t.test('a byte order mark is one at the beginning of the file only', async (t) => {
  const line = `\ufeff${JSON.stringify({ id: 'L-1', client_id: filling(99).repeat(8) })}`;
  const { problems } = parseSourceFile('data/matters.ndjson', new TextEncoder().encode(`${line}\n`.repeat(150)));
  t.strictSame([problems.length, problems[0]?.line, problems.at(-1)?.line], [149, 2, 150]);
});

t.test('a matter that did not change is the same object in the next set', async (t) => {
  const memory = createListMemory();
  const cache = createCompileCache();
  const load = (draft: Draft) => {
    const file = parseSourceFile('data/matters.csv', bytesOf(draft), memory);
    return compilePolicies([...(otherFiles[0] ?? []), file], { commit: null, cache }).set?.data;
  };
  const draft = firstDraft('csv', 2_000);
  const before = load(draft);
  const after = load(EDITS['insert']?.(draft, 10_000, 700, 0) ?? draft);
  t.ok(before?.matters.has('L-1'));
  t.equal(after?.matters.get('L-1'), before?.matters.get('L-1'));
  t.equal(after?.matters.get('L-1999'), before?.matters.get('L-1999'));
  t.equal(after?.matters.size, (before?.matters.size ?? 0) + 1);
  t.equal(after?.grants, before?.grants, 'and what lists in other files were joined to');
  t.equal(after?.people, before?.people);
});
