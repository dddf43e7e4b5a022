// Examples of searching and exporting the log. It must never show an answer that the service would not give.

const REVISION = 'sha256:9f2c4e1ab0d35c7788e6f4a1c2b3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5';
const CURSOR = 'AQGV86B8HnsqnU4_Wmt8jZ6xVqN2y0b9m1nT4pLw5eKc';

/** By name, in queries and headers. */
export const READING_PARAMETERS: Readonly<Record<string, string>> = {
  view: 'log',
  subject: 'u-lind',
  actor: 'svc-ai-assistant',
  caller: 'dms',
  matter: 'M-1001',
  client: 'C-100',
  resource_type: 'document',
  resource_id: 'D-9001',
  action: 'read',
  kind: 'decision',
  outcome: 'deny',
  rule: 'lateral-hire-screen',
  wall: 'W-EX-1',
  grant: 'G-1',
  revision: REVISION,
  obligation: 'review:24h',
  from: '2026-03-01T00:00:00Z',
  to: '2026-04-01T00:00:00Z',
  order: 'newest',
  cursor: CURSOR,
  format: 'ndjson',
  name: 'blast-radius',
  account: 'u-lind',
  device: 'laptop-17',
  token: 'c1f0e9a2-7d43-4f0a-9d3b-1f2a6b7c8d9e',
  date: '2026-03-10',
  month: '2026-03',
  'privity-subject-token': 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJ1LWVuZ2VsIn0.c2lnbmF0dXJl',
};

export function readingExamples(id: string, at: string) {
  const shown = {
    id,
    at,
    outcome: 'deny',
    subject: { id: 'u-lind', actor: null },
    source_system: 'dms',
    action: 'read',
    resource: { type: 'document', id: 'D-9001' },
    matter: 'M-1001',
    client: 'C-100',
  };
  const found = {
    ...shown,
    kind: 'decision',
    caller: 'dms',
    decided_by: ['lateral-hire-screen'],
    walls: ['W-EX-1'],
    grants: [],
    obligations: [],
    revision: REVISION,
    request_id: '2f1c9a34-6b1e-4d0e-9a55-0c2b7f1d3e88',
  };
  return {
    log: { summary: 'From the log, with more to come', value: { decisions: [found], next: CURSOR } },
    report: { summary: 'In an access report', value: { decisions: [shown], next: null } },
  };
}

export function reportExample(at: string, policy: { readonly revision: string; readonly commit: string }) {
  return {
    summary: 'Shortened',
    value: {
      report: 'blast-radius',
      title: 'Blast radius of u-lind',
      about: 'What an account, a system, a device or a token touched in a period.',
      asked: { account: 'u-lind' },
      generated_at: at,
      generated_for: 'u-audley',
      period: { from: '2026-03-01T00:00:00.000Z', to: '2026-04-01T00:00:00.000Z' },
      policy,
      rows: 1,
      is_complete: true,
      notes: [],
      sections: [
        {
          heading: 'Matters',
          table: {
            columns: [
              { name: 'matter', label: 'Matter' },
              { name: 'allowed', label: 'Allowed' },
            ],
            rows: [['M-1001', 1]],
          },
        },
      ],
    },
  };
}
