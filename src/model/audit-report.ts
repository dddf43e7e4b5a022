// The wire shapes of audit reports: what may be asked, and what a report holds whatever it is about. It must never hold behaviour.
import { Type, type Static } from 'typebox';
import { VIEWS } from './search.ts';

const closed = { additionalProperties: false } as const;
const NullableText = Type.Unsafe<string | null>({ type: ['string', 'null'] });
const id = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 256, description }));
const instant = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 40, description }));
/** One JSON Schema `enum` instead of alternatives, for clearer errors. */
function oneOf<const T extends readonly string[]>(values: T, description: string) {
  return Type.Optional(Type.Unsafe<T[number]>({ type: 'string', enum: [...values], description }));
}

export const REPORT_FORMATS = ['json', 'csv', 'html'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

export const ReportName = Type.Object({ name: Type.String({ maxLength: 64, description: 'which report' }) });
export type ReportName = Static<typeof ReportName>;

/** Every parameter that some report knows; which of them a report takes, and needs, its definition says. */
export const ReportQuery = Type.Object(
  {
    view: oneOf(
      VIEWS,
      '`log`: for those who may read the decision log. `access_report`: for those who may read the access report of the matter',
    ),
    format: oneOf(REPORT_FORMATS, '`json` unless told; `csv` for a spreadsheet, `html` to print'),
    matter: id('matter'),
    client: id('client'),
    subject: id('person or service'),
    account: id('person or service whose account it is'),
    caller: id('registered system'),
    device: id('device'),
    token: id('id of a token, its `jti`'),
    wall: id('ethical wall'),
    rule: id('rule'),
    action: id('action'),
    resource_type: id('type of resource'),
    date: Type.Optional(Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'a day in UTC, as 2026-03-10' })),
    month: Type.Optional(Type.String({ pattern: '^\\d{4}-\\d{2}$', description: 'a month in UTC, as 2026-03' })),
    from: instant('not before this instant (RFC 3339; in a URL write + as %2B)'),
    to: instant('before this instant (RFC 3339)'),
  },
  closed,
);
export type ReportQuery = Static<typeof ReportQuery>;
/** The words of a question without how its answer is to look. */
export type ReportWords = Readonly<Omit<ReportQuery, 'format' | 'view'>>;
export type ReportParam = keyof ReportWords;

const Cell = Type.Unsafe<string | number | null>({ type: ['string', 'number', 'null'] });

const Chart = Type.Object(
  {
    kind: Type.Unsafe<'bars' | 'timeline'>({ type: 'string', enum: ['bars', 'timeline'] }),
    label: Type.String({ description: 'what it shows, in one sentence' }),
    unit: Type.String({ description: 'what is counted' }),
    series: Type.Array(Type.String(), { description: 'what the values of each point are, stacked in this order' }),
    points: Type.Array(Type.Object({ label: Type.String(), values: Type.Array(Type.Number()) }, closed)),
  },
  closed,
);

const Section = Type.Object(
  {
    heading: Type.String(),
    note: Type.Optional(Type.String()),
    facts: Type.Optional(Type.Array(Type.Object({ label: Type.String(), value: Type.String() }, closed))),
    chart: Type.Optional(Chart),
    table: Type.Optional(
      Type.Object(
        {
          columns: Type.Array(Type.Object({ name: Type.String(), label: Type.String() }, closed)),
          rows: Type.Array(Type.Array(Cell)),
        },
        closed,
      ),
    ),
    text: Type.Optional(Type.String({ description: 'as it stands in a file, line by line' })),
    /** Where somebody signs on paper. */
    signature: Type.Optional(Type.String({ description: 'what somebody confirms by signing the printed page' })),
  },
  closed,
);

export const AuditReport = Type.Object(
  {
    report: Type.String(),
    title: Type.String(),
    about: Type.String(),
    asked: Type.Record(Type.String(), Type.String()),
    generated_at: Type.String({ format: 'date-time' }),
    generated_for: Type.String({ description: 'who asked: it holds what this reader may see' }),
    period: Type.Unsafe<{ from: string; to: string } | null>({
      type: ['object', 'null'],
      properties: { from: { type: 'string' }, to: { type: 'string' } },
    }),
    policy: Type.Object({ revision: Type.String(), commit: NullableText }, closed),
    rows: Type.Number({ description: 'records it was made of' }),
    is_complete: Type.Boolean({ description: 'false: something is left out, and a note says what' }),
    notes: Type.Array(Type.String()),
    sections: Type.Array(Section),
  },
  { ...closed, $id: 'AuditReport', description: 'A report about the log and the policies' },
);

export type AuditReport = Static<typeof AuditReport>;
export type ReportSection = Static<typeof Section>;
export type ReportChart = Static<typeof Chart>;
export type ReportCell = string | number | null;
