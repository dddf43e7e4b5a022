// `privity audit review`: accesses that somebody has to look at, and what was found. It must never say that a review is done before the
// service says that it is recorded.
import {
  REVIEW_OUTCOMES,
  REVIEW_STATES,
  type ReviewAnswer,
  type Review,
  type ReviewsAnswer,
} from '../model/reviews.ts';
import { API_ABOUT, API_OPTIONS, ApiProblem, openApi, type ApiClient } from './audit/api-client.ts';
import type { Shell } from './shell/shell.ts';
import { count, printable, table } from './shell/text.ts';
import { UsageError, type Arguments, type ExitCode, type Verb } from './shell/verb.ts';

const DEFAULT = 50;
const MOST = 10_000;
const PAGE = 200;

export const verb: Verb = {
  about: [
    'Without an ID it lists the accesses that have to be reviewed, such as emergency accesses, newest first, with what became of them. ' +
      'With one it records what you found. Policy says who may review; nobody reviews an access of their own. A second review stands ' +
      'beside the first. Exit code 1: it was not recorded.',
    API_ABOUT,
  ],
  operands: { usage: '[ID]', min: 0, max: 1, help: 'evaluation id of the access' },
  options: {
    outcome: { value: 'OUTCOME', choices: REVIEW_OUTCOMES, help: 'what you found' },
    reason: { value: 'TEXT', help: 'why, in 10 to 2,000 characters; auditors read it' },
    state: { value: 'STATE', choices: REVIEW_STATES, help: 'list only these' },
    limit: { value: 'N', help: `how many to list at most; otherwise ${DEFAULT}` },
    json: { help: 'machine-readable: one JSON document' },
    ...API_OPTIONS,
  },
  examples: [
    { command: 'privity audit review --state open', does: 'what nobody has looked at yet' },
    {
      command:
        'privity audit review 0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e --outcome justified --reason "The hearing was moved up."',
      does: 'says what was found',
    },
  ],
  async run(shell, args) {
    const [id] = args.operands;
    if (id === undefined) checkListing(args);
    const found = id === undefined ? null : findingOf(args);
    const api = await openApi(shell, args);
    try {
      return id === undefined || found === null
        ? await list(shell, args, api)
        : await give(shell, args, api, id, found);
    } catch (error) {
      shell.progress.clear();
      if (!(error instanceof ApiProblem) || error.status !== 404) throw error;
      const what =
        id === undefined
          ? 'nothing is here for you: the list is for those whom policy lets list the log'
          : 'nothing is here for you: there is no such access, nobody has to review it, or it is not for you';
      shell.err.line(what);
      return 1;
    }
  },
};

interface Finding {
  readonly outcome: string;
  readonly reason: string;
}

function findingOf(args: Arguments): Finding {
  const [outcome, reason] = [args.text('outcome'), args.text('reason')];
  if (outcome === undefined || reason === undefined) {
    throw new UsageError('what did you find?', 'give `--outcome` and `--reason`; without an ID it only lists');
  }
  if (args.text('state') !== undefined || args.text('limit') !== undefined) {
    throw new UsageError('`--state` and `--limit` are for the list', 'leave out the ID');
  }
  if (reason.length < 10 || reason.length > 2_000) {
    throw new UsageError('the reason has too few or too many words', 'write 10 to 2,000 characters after `--reason`');
  }
  return { outcome, reason };
}

function checkListing(args: Arguments): void {
  if (args.text('outcome') === undefined && args.text('reason') === undefined) return;
  throw new UsageError('which access was reviewed?', 'give its evaluation id, as `privity audit review` lists it');
}

async function give(shell: Shell, args: Arguments, api: ApiClient, id: string, found: Finding): Promise<ExitCode> {
  const response = await api.post(`/v1/reviews/${encodeURIComponent(id)}`, { ...found });
  const answer = (await response.json()) as ReviewAnswer;
  if (args.isOn('json')) shell.out.line(JSON.stringify(answer, null, 2));
  else shell.out.line(`recorded: ${printable(answer.outcome)}, as ${printable(answer.review_id)}`);
  return 0;
}

async function list(shell: Shell, args: Arguments, api: ApiClient): Promise<ExitCode> {
  const limit = limitOf(args.text('limit'));
  const found: Review[] = [];
  let after: string | null = null;
  do {
    const size = Math.min(limit - found.length, PAGE);
    const query = { limit: String(size), state: args.text('state'), after: after ?? undefined };
    const page = (await (await api.get('/v1/reviews', query)).json()) as ReviewsAnswer;
    found.push(...page.reviews);
    after = page.next;
  } while (after !== null && found.length < limit);
  const isAll = after === null;
  if (args.isOn('json')) {
    shell.out.line(JSON.stringify({ reviews: found, more: !isAll }, null, 2));
    return 0;
  }
  const head = ['STATE', 'ACCESS', 'TIME', 'WHO', 'DID', 'TO', 'MATTER', 'DUE', 'REVIEWED'];
  if (found.length > 0) for (const line of table([head, ...found.map(cellsOf)])) shell.out.line(line);
  const overdue = found.filter((one) => one.overdue).length;
  const more = isAll ? '' : '; there are more: `--limit`';
  const accesses = count(found.length, 'access', 'accesses');
  shell.err.line(shell.err.paint('dim', `${accesses}, ${overdue} overdue${more}`));
  return 0;
}

function cellsOf(one: Review): string[] {
  const { state, overdue, evaluation_id: id, at, subject, action, resource, matter, due, reviews } = one;
  const who = subject.id + (subject.actor === null ? '' : ` via ${subject.actor}`);
  const given = reviews.map(({ by, outcome }) => `${outcome} by ${by}`).join(', ');
  const cells = [
    overdue ? 'overdue' : state,
    id,
    at,
    who,
    action,
    `${resource.type} ${resource.id}`,
    matter ?? '',
    due,
  ];
  return [...cells, given].map(printable);
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT;
  if (!/^[1-9]\d{0,4}$/.test(text) || Number(text) > MOST) {
    throw new UsageError(`--limit ${text} is no number from 1 to ${MOST.toLocaleString('en-US')}`);
  }
  return Number(text);
}
