// Example of a list filter. It must never show an answer that the service would not give.

/** @param rest what every answer ends with */
export function filterExamples(token: string, rest: Readonly<Record<string, unknown>>) {
  const columns = {
    id: 't.id',
    matter_id: 't.matter_id',
    client_id: 't.client_id',
    matter_status: 't.status',
    confidentiality: 't.level',
    billed: 't.billed',
  };
  const text =
    '("t"."billed" is false and ("t"."client_id")::text = any ($1::text[]) and ("t"."status")::text = any ($2::text[]) and ' +
    '("t"."matter_id")::text = any ($3::text[]))';
  return {
    filter: {
      request: {
        timeEntries: {
          summary: 'Time entries that a responsible partner may list',
          value: {
            subject_token: token,
            action: { name: 'list' },
            resource: { type: 'time_entry' },
            context: { network_zone: 'office' },
            target: 'postgresql',
            columns,
          },
        },
      },
      answers: {
        200: {
          some: {
            summary: 'Rows of one matter',
            value: {
              kind: 'conditional',
              sql: { text, params: [['C-300'], ['closed', 'open'], ['M-2002']] },
              expires_at: '2026-03-10T14:01:00.123Z',
              ...rest,
            },
          },
          none: {
            summary: 'No row',
            value: { kind: 'always_denied', expires_at: '2026-03-10T14:01:00.123Z', ...rest },
          },
        },
      },
    },
  };
}
