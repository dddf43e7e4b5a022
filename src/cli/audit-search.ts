// `privity audit search`: lists records of the log. It must never show more than the service gave, nor say that there is no more when
// there may be.
import type { DecisionsAnswer, FoundRecord } from '../model/search.ts';
import { API_ABOUT, API_OPTIONS, ApiProblem, openApi, type ApiClient, type Query } from './audit/api-client.ts';
import { FILTER_OPTIONS, queryOf } from './audit/filters.ts';
import type { Output, Shell } from './shell/shell.ts';
import { count, printable, table } from './shell/text.ts';
import { UsageError, type Verb } from './shell/verb.ts';

const DEFAULT = 50;
const MOST = 100_000;
const PAGE = 200;

export const verb: Verb = {
  about: [
    'Filters combine. Without one it lists what was recorded last. `privity audit show ID` shows one record in full, `privity ' +
      'audit export` gives as many as there are.',
    API_ABOUT,
  ],
  options: {
    ...FILTER_OPTIONS,
    limit: { value: 'N', help: `how many at most; otherwise ${DEFAULT}` },
    json: { help: 'machine-readable: one JSON document' },
    ...API_OPTIONS,
  },
  examples: [
    { command: 'privity audit search --subject u-lind --outcome deny', does: 'what somebody was refused' },
    {
      command: 'privity audit search --resource-id D-9001 --from 2026-03-01 --to 2026-04-01',
      does: 'who touched a document in March',
    },
    { command: 'privity audit search --matter M-1001 --report', does: 'as the responsible partner of the matter' },
  ],
  async run(shell, args) {
    const limit = limitOf(args.text('limit'));
    const api = await openApi(shell, args);
    try {
      const { found, isAll } = await readAll(shell, api, queryOf(args), limit);
      if (args.isOn('json')) shell.out.line(JSON.stringify({ decisions: found, more: !isAll }, null, 2));
      else show(shell, found, isAll);
      return 0;
    } catch (error) {
      shell.progress.clear();
      if (!(error instanceof ApiProblem) || error.status !== 404) throw error;
      shell.err.line('nothing is here for you: the log is for those whom policy lets list it');
      return 1;
    }
  },
};

function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT;
  if (!/^[1-9]\d{0,5}$/.test(text) || Number(text) > MOST) {
    throw new UsageError(
      `\`--limit ${text}\` is no number from 1 to ${MOST}`,
      'for more there is `privity audit export`',
    );
  }
  return Number(text);
}

async function readAll(shell: Shell, api: ApiClient, query: Query, limit: number) {
  const found: FoundRecord[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = String(Math.min(PAGE, limit - found.length));
    const response = await api.get('/v1/decisions', { ...query, limit: page, cursor });
    const { decisions, next } = (await response.json()) as DecisionsAnswer;
    found.push(...decisions);
    if (next === null) return { found, isAll: true };
    if (found.length >= limit) return { found, isAll: false };
    cursor = next;
    shell.progress.show(`${count(found.length, 'record')} found, searching on …`);
  }
}

function show({ out, err, progress }: Shell, found: readonly FoundRecord[], isAll: boolean): void {
  progress.clear();
  if (found.length > 0) for (const line of tableOf(out, found)) out.line(line);
  err.line(err.paint('dim', count(found.length, 'record') + (isAll ? '' : '; there are more: `--limit`')));
}

function tableOf(out: Output, found: readonly FoundRecord[]): readonly string[] {
  const isReport = found.every((one) => one.kind === undefined);
  const head = ['', 'RECORD', 'TIME', 'WHO', 'DID', 'TO', 'MATTER', ...(isReport ? [] : ['DECIDED BY'])];
  const lines = table([head, ...found.map((one) => [...cellsOf(one), ...(isReport ? [] : [reasonOf(one)])])]);
  return lines.map((line, index) => {
    const fitted = out.isTerminal && line.length > out.columns ? `${line.slice(0, out.columns - 1)}…` : line;
    if (index === 0) return out.paint('bold', fitted);
    const { outcome } = found[index - 1] ?? {};
    if (outcome == null) return fitted;
    return (
      out.paint(outcome === 'deny' ? 'red' : 'green', fitted.slice(0, outcome.length)) + fitted.slice(outcome.length)
    );
  });
}

function cellsOf(one: FoundRecord): string[] {
  const { outcome, id, at, subject, action, kind, resource, matter } = one;
  const who = (subject.id ?? '') + (subject.actor === null ? '' : ` via ${subject.actor}`);
  const did = kind === undefined || kind === 'decision' ? (action ?? '') : [kind, action].filter(Boolean).join(': ');
  const to = [resource.type, resource.id].filter((part) => part !== null).join(' ');
  return [outcome ?? '', id, at, who, did, to, matter ?? ''].map(printable);
}

function reasonOf({ decided_by: decidedBy = [], walls = [] }: FoundRecord): string {
  return printable([...decidedBy, ...walls].join(', '));
}
