// Lays one record of the log out for people. It must never leave a member out.
import type { RecordAnswer } from '../../model/reports.ts';
import type { Output } from '../shell/shell.ts';
import { definitions, printable, table } from '../shell/text.ts';

type Json = Readonly<Record<string, unknown>>;

/** Members that every record has and that stand in the heading or the last lines. */
const ENVELOPE = new Set(['id', 'kind', 'at', 'v', 'writer', 'seq', 'prev', 'nonce', 'outcome', 'rules']);
const WIDEST = 120;

export function recordLines(out: Output, { id, kind, at, record, proof }: RecordAnswer): string[] {
  const { outcome } = record;
  const verdict = typeof outcome === 'string' ? out.paint(outcome === 'deny' ? 'red' : 'green', outcome) : '';
  const width = Math.min(out.columns, WIDEST);
  const rows = Object.entries(record)
    .filter(([name]) => !ENVELOPE.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => flat(name, value));
  const rules = ruleRows(record['rules']);
  return [
    `${out.paint('bold', `${printable(kind)} ${printable(id)}`)} ${verdict}`.trimEnd(),
    `  ${printable(at)}`,
    '',
    ...definitions(rows, width),
    ...(rules.length === 0
      ? []
      : ['', out.paint('bold', 'Rules and walls that applied, or could not be ruled out'), ...table(rules, '  ')]),
    '',
    out.paint('bold', 'Proof'),
    ...definitions(
      [
        ['writer', `${proof.writer}, record ${proof.seq}`],
        ['hash', proof.hash],
        ['intact', proof.intact ? 'yes: the bytes have the committed hash' : out.paint('red', 'NO')],
      ],
      width,
    ),
  ];
}

/** Objects become one line for each of their members; what is empty says so. */
function flat(name: string, value: unknown): [string, string][] {
  if (value === null || (Array.isArray(value) && value.length === 0)) return [[name, '-']];
  if (Array.isArray(value)) return [[name, value.map(wordOf).join(', ')]];
  if (typeof value !== 'object') return [[name, wordOf(value)]];
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return members.length === 0 ? [[name, '-']] : members.flatMap(([below, member]) => flat(`${name}.${below}`, member));
}

function wordOf(value: unknown): string {
  return printable(typeof value === 'string' ? value : JSON.stringify(value));
}

function ruleRows(rules: unknown): string[][] {
  if (!Array.isArray(rules)) return [];
  return rules
    .filter((one): one is Json => typeof one === 'object' && one !== null)
    .map((one) => ['effect', 'truth', 'rule', 'source'].map((name) => wordOf(one[name] ?? '')));
}
