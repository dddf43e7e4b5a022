// The client of Privity: typed questions, and answers that fail closed. It must never turn an error, an unknown duty or an answer it
// does not understand into a permission.
import {
  abilitiesAnswer,
  approvalAnswer,
  authorizeAnswer,
  batchAnswer,
  fieldsAnswer,
  filterAnswer,
} from './answers.ts';
import type {
  AbilitiesAnswer,
  ApprovalAnswer,
  ApprovalRequest,
  AuthorizeAnswer,
  AuthorizeRequest,
  FieldsAnswer,
  FilterAnswer,
  FilterRequest,
} from './api.ts';
import { PrivityClientError } from './errors.ts';
import { exchange, type Call, type Sent, type Target, type TokenSource } from './exchange.ts';
import { passing, type RowFilter } from './filter.ts';
import { fulfilled, type Duties } from './obligations.ts';

export interface ClientOptions {
  /** Where Privity listens, such as `https://privity.firm.example`. */
  readonly url: string | URL;
  /** The service's own access token. Without it the person's token is the bearer, which must then be one for Privity. */
  readonly token?: TokenSource;
  /** For a call with all its attempts; 5,000 unless told. */
  readonly timeoutMs?: number;
  /** How often a question that was not judged is asked again; 2 unless told. */
  readonly retries?: number;
  /** What this service can do when a permission comes with duties, by their ids. Others deny. */
  readonly duties?: Duties;
  /** Told of every error that a fail-closed helper took for a deny. */
  readonly onError?: (error: unknown) => void;
  /** Instead of the one of the platform. */
  readonly fetch?: typeof fetch;
}

type Attributes = Readonly<Record<string, unknown>>;

export interface Resource {
  readonly type: string;
  readonly id: string;
  readonly properties?: Attributes;
}

export interface Question {
  readonly action: string;
  readonly resource: Resource;
  readonly context?: Attributes;
}

/** One question about every row of a list; `target` is the form of the filter. */
export type ListQuestion = Omit<FilterRequest, 'subject_token' | 'action'> & { readonly action: string };

/** What the person of the token approves that `requester` does, once. */
export type Approval = Omit<ApprovalRequest, 'subject_token' | 'action'> & { readonly action: string };

export type FieldsQuestion = Omit<Question, 'action'> & { readonly action?: string };

export interface Verdict {
  readonly permitted: boolean;
  /** Null: there is none, which is why it is not permitted. */
  readonly answer: AuthorizeAnswer | null;
  readonly error: unknown;
}

export interface PrivityClient {
  /** @throws PrivityClientError: there is no decision. A true `decision` counts only once its obligations are met: see `permits`. */
  authorize(question: Question, call?: Call): Promise<AuthorizeAnswer>;
  /** Up to 1,000 questions about one person, answered in order. */
  batch(questions: readonly Question[], call?: Call): Promise<readonly AuthorizeAnswer[]>;
  /** Which protected fields may be shown; `action` is `read` unless told. */
  fields(question: FieldsQuestion, call?: Call): Promise<FieldsAnswer>;
  /** Needs the service's own token and its right `filter`. */
  filter(question: ListQuestion, call?: Call): Promise<FilterAnswer>;
  approve(approval: Approval, call?: Call): Promise<ApprovalAnswer>;
  /** Rules for hiding buttons; a hint, never a permission. */
  abilities(context?: Attributes, call?: Call): Promise<AbilitiesAnswer>;

  /** The decision with its duties met, or why there is none. Never throws. */
  decide(question: Question, call?: Call, duties?: Duties): Promise<Verdict>;
  /** True only for a permission whose duties were all met. Never throws. */
  permits(question: Question, call?: Call): Promise<boolean>;
  /** The same for each question, in order, asked in one request. Never throws. */
  permitsEach(questions: readonly Question[], call?: Call): Promise<readonly boolean[]>;
  /** The protected fields that may be shown; none where anything is amiss. Never throws. */
  visibleFields(question: FieldsQuestion, call?: Call): Promise<readonly string[]>;
  /** What a list may show: nothing where anything is amiss. Never throws. */
  rowFilter(question: ListQuestion, call?: Call): Promise<RowFilter>;
}

const TIMEOUT_MS = 5_000;
const RETRIES = 2;

export function createClient(options: ClientOptions): PrivityClient {
  const { token = null, timeoutMs = TIMEOUT_MS, retries = RETRIES, duties: known = {}, onError } = options;
  const target: Target = { url: baseOf(options.url), token, timeoutMs, retries, fetch: options.fetch ?? fetch };
  const ask = (sent: Sent, call: Call = {}): Promise<unknown> => exchange(target, sent, call);
  const amiss = (error: unknown): void => onError?.(error);

  const client: PrivityClient = {
    async authorize(question, call) {
      const body: AuthorizeRequest = wireOf(question);
      return authorizeAnswer(await ask({ path: 'v1/authorize', body, repeatable: spendsNothing([question]) }, call));
    },
    async batch(questions, call) {
      const body = { evaluations: questions.map(wireOf) };
      const sent = { path: 'v1/authorize/batch', body, repeatable: spendsNothing(questions) };
      return batchAnswer(await ask(sent, call), questions.length);
    },
    async fields({ action = 'read', ...rest }, call) {
      const question = { action, ...rest };
      const sent = { path: 'v1/authorize/fields', body: wireOf(question), repeatable: spendsNothing([question]) };
      return fieldsAnswer(await ask(sent, call));
    },
    async filter({ action, ...rest }, call) {
      const sent = { path: 'v1/filter', body: { action: { name: action }, ...rest }, repeatable: true };
      return filterAnswer(await ask(sent, call));
    },
    async approve({ action, ...rest }, call) {
      const sent = { path: 'v1/approvals', body: { action: { name: action }, ...rest }, repeatable: false };
      return approvalAnswer(await ask(sent, call));
    },
    async abilities(context, call) {
      const query = context === undefined ? '' : `?context=${encodeURIComponent(JSON.stringify(context))}`;
      return abilitiesAnswer(await ask({ path: `v1/abilities${query}`, repeatable: true }, call));
    },

    async decide(question, call, duties = known) {
      let answer: AuthorizeAnswer | null = null;
      try {
        answer = await client.authorize(question, call);
        const permitted = answer.decision && (await fulfilled(answer.context.obligations, duties));
        return { permitted, answer, error: null };
      } catch (error) {
        amiss(error);
        return { permitted: false, answer, error };
      }
    },
    async permits(question, call) {
      return (await client.decide(question, call)).permitted;
    },
    async permitsEach(questions, call) {
      if (questions.length === 0) return [];
      try {
        const permitted: boolean[] = [];
        for (const { decision, context } of await client.batch(questions, call)) {
          permitted.push(decision && (await met(context.obligations)));
        }
        return permitted;
      } catch (error) {
        amiss(error);
        return questions.map(() => false);
      }
    },
    async visibleFields(question, call) {
      try {
        const { fields, context } = await client.fields(question, call);
        return (await met(context.obligations)) ? fields : [];
      } catch (error) {
        amiss(error);
        return [];
      }
    },
    async rowFilter(question, call) {
      try {
        return passing(await client.filter(question, call));
      } catch (error) {
        amiss(error);
        return { kind: 'always_denied' };
      }
    },
  };

  /** One duty that fails takes its own permission away, not those beside it. */
  async function met(obligations: AuthorizeAnswer['context']['obligations']): Promise<boolean> {
    try {
      return await fulfilled(obligations, known);
    } catch (error) {
      amiss(error);
      return false;
    }
  }
  return client;
}

function wireOf({ action, resource, context }: Question) {
  return { action: { name: action }, resource, ...(context === undefined ? {} : { context }) };
}

/** An approval that was looked at is spent: asked again, the same question is another one. */
function spendsNothing(questions: readonly Question[]): boolean {
  return questions.every(({ context }) => context?.['approval_ids'] === undefined);
}

function baseOf(url: string | URL): URL {
  const base = new URL(url);
  if (!/^https?:$/.test(base.protocol) || base.username !== '' || base.password !== '') {
    throw new PrivityClientError('unreachable', 'the address of Privity must be http(s), without a user name');
  }
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  base.search = '';
  base.hash = '';
  return base;
}
