// Lines of exports are made from a glance at a record's bytes: they must be those that a look at the whole record gives.
import fc from 'fast-check';
import t from 'tap';
import { csvLine } from '../../src/core/reading/csv.ts';
import { ocsfEvent } from '../../src/core/reading/ocsf.ts';
import { foundRecord } from '../../src/core/reading/row.ts';
import { recordOfText } from '../../src/core/reading/stored-text.ts';
import { canonicalize } from '../../src/core/record/canonical.ts';
import { exportLines } from '../../src/http/export-format.ts';
import type { RowPermits } from '../../src/http/log-reading.ts';
import { shown } from '../../src/http/mask.ts';
import { madeDecision } from '../helpers/log-rows.ts';
import { runs } from '../helpers/runs.ts';

type Json = Readonly<Record<string, unknown>>;

const ID = '01a201a8-3bfd-7a8c-9ddf-e70532b44e71';

/** What is asked of policy, and what policy looks at. */
function permitsNoting(asked: unknown[], isGiven: boolean): RowPermits {
  return {
    at: () => isGiven,
    record: (id, { matter, client, read }) => {
      asked.push([id, typeof matter === 'string' ? matter : null, typeof client === 'string' ? client : null, read]);
      return isGiven;
    },
  };
}

/** The same line from the whole record. */
function plainLine(format: string, bytes: Buffer): string {
  const text = bytes.toString('utf8');
  const record = recordOfText(text);
  const row = { id: ID, kind: 'decision', record };
  if (format === 'csv') return csvLine('log', foundRecord('log', row));
  if (format === 'ocsf') return `${JSON.stringify(ocsfEvent(row, '1.2.3'))}\n`;
  if (Object.keys(record).length === 0) return `${JSON.stringify({ id: ID, kind: 'decision', unreadable: true })}\n`;
  const masked = record['free_text'];
  const isMasked = record['kind'] === 'purge' || (Array.isArray(masked) && masked.length > 0);
  const isAsIs = !isMasked && !/[\r\n]/.test(text);
  return isAsIs ? `${text}\n` : `${JSON.stringify(shown(record))}\n`;
}

const formats = ['ndjson', 'csv', 'ocsf'] as const;
const makers = formats.map((format) => ({ format, lines: exportLines(format, 'log', '1.2.3') }));

function agrees(records: readonly Buffer[]): boolean {
  const block = Buffer.concat(records.flatMap((bytes) => [Buffer.from('x'), bytes, Buffer.from('x')]));
  let at = 0;
  return records.every((bytes) => {
    const [from, to] = [at + 1, at + 1 + bytes.length];
    at = to + 1;
    return makers.every(({ format, lines }) => {
      const asked: unknown[] = [];
      const row = { id: ID, kind: 'decision', block, from, to };
      const given = lines.line(row, permitsNoting(asked, true));
      const plain = recordOfText(bytes.toString('utf8'));
      const [expected] = [[] as unknown[]];
      permitsNoting(expected, true).record(ID, plain);
      const own = given?.bytes?.bytes.toString('utf8', 0, given.bytes.length) ?? block.toString('utf8', from, to);
      const line = given?.text ?? `${own}\n`;
      const isRefused = lines.line(row, permitsNoting([], false)) === null;
      return isRefused && JSON.stringify(asked) === JSON.stringify(expected) && line === plainLine(format, bytes);
    });
  });
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('M-1', '=1', '"', '\\', 'é', '\n'),
);
const any = fc.oneof(
  text,
  fc.constantFrom(null, true, 0),
  fc.array(text, { maxLength: 3 }),
  fc.jsonValue({ maxDepth: 2 }),
);
const changes = fc.record(
  {
    action: any,
    at: any,
    caller: any,
    client: any,
    context: fc.dictionary(text, any, { maxKeys: 3 }),
    decided_by: any,
    free_text: fc.oneof(any, fc.constantFrom([], ['context.purpose'])),
    kind: fc.oneof(any, fc.constantFrom('refused', 'read', 'policy_loaded', 'writer_opened')),
    matter: any,
    obligations: any,
    outcome: any,
    policy: any,
    read: fc.oneof(any, fc.record({ behind_walls: fc.oneof(any, fc.constant([{ matter: 'M-1', client: 'C-1' }])) })),
    resource: any,
    subject: any,
    walls: any,
  },
  { requiredKeys: [] },
);

function bytesOf(value: Json): Buffer {
  try {
    return Buffer.from(canonicalize(value));
  } catch {
    return Buffer.from(JSON.stringify(value));
  }
}

t.test('records as they are written', async () => {
  fc.assert(
    fc.property(fc.array(changes, { minLength: 1, maxLength: 5 }), (all) =>
      agrees(all.map((one) => bytesOf(madeDecision(1_700_000_000_000, one).said))),
    ),
    runs(150),
  );
});

const cell = fc.oneof(
  fc.constantFrom(
    '',
    'M-1',
    '7',
    'read',
    'create',
    'deny',
    'alert:siem',
    '=1',
    '+1',
    '-1',
    '@x',
    ' =1',
    '\uFF1D1',
    'é',
    'a"b',
    '\t1',
  ),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
);
const cells = fc.oneof(fc.constantFrom([], ['alert:siem'], ['', '=1'], ['a', '=1']), fc.array(cell, { maxLength: 3 }));
const orNull = fc.option(cell);
const everyday = fc
  .record({
    action: orNull,
    at: fc.constantFrom('2026-03-10T09:00:00.000Z', 'no time', '='),
    caller: fc.record({ id: orNull, own: fc.boolean(), source_system: orNull }),
    client: orNull,
    decided_by: cells,
    grants: cells,
    kind: fc.constantFrom('decision', 'search', 'filter', 'approval'),
    matter: orNull,
    obligations: cells,
    outcome: fc.oneof(orNull, fc.constantFrom('allow', 'deny')),
    policy: fc.record({ commit: fc.constant(null), engine: fc.constant('1'), revision: orNull }),
    request_id: orNull,
    resource: fc.record({ id: orNull, properties: fc.constant({}), type: orNull }),
    seq: fc.oneof(fc.nat(), fc.constantFrom(null, -1)),
    subject: fc.record({ actor: orNull, attributes: fc.constant({}), id: orNull }),
    walls: cells,
  })
  .chain((one) => fc.subarray(Object.keys(one), { minLength: 12 }).map((kept) => [one, kept] as const))
  .map(([one, kept]) => Object.fromEntries(kept.map((name) => [name, Reflect.get(one, name)])));

t.test('everyday records, whose lines are copied from their bytes', async (t) => {
  fc.assert(
    fc.property(fc.array(everyday, { minLength: 1, maxLength: 4 }), (all) =>
      agrees(all.map((one) => bytesOf(madeDecision(1_700_000_000_000, one).said))),
    ),
    runs(400),
  );
  const block = Buffer.concat([Buffer.from('x'), bytesOf(madeDecision(1_700_000_000_000).said)]);
  const row = { id: ID, kind: 'decision', block, from: 1, to: block.length };
  for (const { format, lines } of makers) {
    const given = lines.line(row, permitsNoting([], true));
    t.equal(given?.text, null, format);
    t.equal(given?.bytes === null, format === 'ndjson', format);
  }
});

t.test('records that somebody has tampered with, and bytes that are none', async () => {
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(changes, fc.nat(), fc.uint8Array({ maxLength: 3 }), fc.nat({ max: 3 }))
      .map(([one, place, bytes, lost]) => {
        const whole = bytesOf(madeDecision(1_700_000_000_000, one).said);
        const at = place % whole.length;
        return Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at + lost)]);
      }),
    changes.map((one) => Buffer.from(JSON.stringify(one, null, 1))),
    fc
      .constantFrom(
        '{}',
        '[]',
        'null',
        '{"matter":"M-1","matter":"M-2"}',
        '{"client":"C-1","matter":"M-\\u0031"}',
        '{"__proto__":{"matter":"M-1"}}',
        '{"matter":"M-1"}\n',
        '\ufeff{"matter":"M-1"}',
      )
      .map((one) => Buffer.from(one)),
  );
  fc.assert(fc.property(fc.array(hostile, { minLength: 1, maxLength: 5 }), agrees), runs(300));
});
