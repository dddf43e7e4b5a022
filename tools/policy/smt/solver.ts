// Asks Z3 (github.com/Z3Prover/z3, the SMT solver) whether terms can be true together. It must never take "unknown" for an answer.
import { Worker } from 'node:worker_threads';
import { print, type Sort, type Term } from './term.ts';

export interface Problem {
  readonly symbols: ReadonlyMap<string, Sort>;
  readonly functions: ReadonlyMap<string, readonly [argument: Sort, result: Sort]>;
  /** In the order in which they need each other. */
  readonly definitions: ReadonlyMap<string, Term>;
  readonly laws: readonly Term[];
}

/** What terms are in one solution: numbers as numbers, texts as their codes. */
export interface Model {
  valuesOf(terms: readonly Term[]): readonly (boolean | number)[];
}

export type Verdict = 'possible' | 'impossible' | 'unknown';

export interface Session {
  /** @param look called with the solution, if there is one, before anything else is asked */
  check<T>(
    assertions: readonly Term[],
    look?: (model: Model) => T,
  ): Promise<{ readonly verdict: Verdict; readonly seen: T | null }>;
  close(): void;
}

export interface Solver {
  /** @param timeoutMs of one check; longer ones end as unknown */
  open(problem: Problem, timeoutMs: number): Promise<Session>;
  close(): void;
}

/**
 * Texts are handed over by calls that return when they were read: those of z3-solver that read them on another thread are told where a text
 * was that is gone by then (`eval_smtlib2_string` of 5.2.0).
 */
export async function startSolver(): Promise<Solver> {
  const { init } = await import('z3-solver');
  const { Z3, em } = await init();
  return {
    async open(problem, timeoutMs) {
      const config = Z3.mk_config();
      const context = Z3.mk_context(config);
      Z3.del_config(config);
      const parser = Z3.mk_parser_context(context);
      Z3.parser_context_inc_ref(context, parser);
      const solver = Z3.mk_solver(context);
      Z3.solver_inc_ref(context, solver);
      const limits = Z3.mk_params(context);
      Z3.params_inc_ref(context, limits);
      Z3.params_set_uint(context, limits, Z3.mk_string_symbol(context, 'timeout'), timeoutMs);
      Z3.solver_set_params(context, solver, limits);

      /** What the text asserts, without asserting it. */
      const parsed = (script: string) => {
        const list = Z3.parser_context_from_string(context, parser, script);
        const code = Z3.get_error_code(context);
        if (code !== 0) throw new Error(`the solver refused a question: ${Z3.get_error_msg(context, code)}`);
        return Array.from({ length: Z3.ast_vector_size(context, list) }, (_, index) =>
          Z3.ast_vector_get(context, list, index),
        );
      };
      const tell = (script: string): void => {
        for (const one of parsed(script)) Z3.solver_assert(context, solver, one);
      };
      let asked = 0;
      const valuesOf = (terms: readonly Term[]): readonly (boolean | number)[] => {
        const model = Z3.solver_get_model(context, solver);
        Z3.model_inc_ref(context, model);
        const script = terms.map((term) => {
          asked += 1;
          return `(declare-const value-${asked} ${sortOf(term, problem)})(assert (= value-${asked} ${print(term)}))`;
        });
        const found = parsed(script.join('\n')).map((one) => {
          const [, term] = [0, 1].map((index) => Z3.get_app_arg(context, Z3.to_app(context, one), index));
          const value = term === undefined ? null : Z3.model_eval(context, model, term, true);
          return valueOf(value === null ? undefined : parse(Z3.ast_to_string(context, value)));
        });
        Z3.model_dec_ref(context, model);
        if (found.length !== terms.length) throw new Error('the solver answered another question');
        return found;
      };

      tell(scriptOf(problem));
      return {
        async check(assertions, look) {
          Z3.solver_push(context, solver);
          tell(assertions.map((one) => `(assert ${print(one)})`).join('\n'));
          const said = await Z3.solver_check(context, solver);
          const verdict: Verdict = said === 1 ? 'possible' : said === -1 ? 'impossible' : 'unknown';
          const seen = verdict === 'possible' && look !== undefined ? look({ valuesOf }) : null;
          Z3.solver_pop(context, solver, 1);
          return { verdict, seen };
        },
        close: () => Z3.del_context(context),
      };
    },
    close: () => letGo(Reflect.get(em, 'PThread')),
  };
}

/** Its threads wait for work for ever: they must not keep the process. */
function letGo(threads: unknown): void {
  if (typeof threads !== 'object' || threads === null) return;
  for (const list of ['runningWorkers', 'unusedWorkers']) {
    const workers: unknown = Reflect.get(threads, list);
    if (Array.isArray(workers)) for (const worker of workers) if (worker instanceof Worker) worker.unref();
  }
}

function scriptOf({ symbols, functions, definitions, laws }: Problem): string {
  return [
    ...[...symbols].map(([name, sort]) => `(declare-const ${name} ${sort})`),
    ...[...functions].map(([name, [argument, result]]) => `(declare-fun ${name} (${argument}) ${result})`),
    ...[...definitions].map(([name, term]) => `(define-fun ${name} () Bool ${print(term)})`),
    ...laws.map((law) => `(assert ${print(law)})`),
  ].join('\n');
}

const NUMERIC = new Set(['+', '-', '*', '/']);

function sortOf(term: Term, problem: Problem): Sort {
  if (typeof term === 'boolean') return 'Bool';
  if (typeof term === 'string') return problem.symbols.get(term) ?? 'Bool';
  if ('int' in term) return 'Int';
  if ('real' in term) return 'Real';
  const [name, first, second] = term;
  if (name === 'ite') return sortOf(second ?? false, problem);
  if (NUMERIC.has(name)) return sortOf(first ?? false, problem);
  return problem.functions.get(name)?.[1] ?? 'Bool';
}

function parse(text: string): unknown {
  const stack: unknown[][] = [[]];
  for (const [token] of text.matchAll(/[()]|[^\s()]+/g)) {
    if (token === '(') stack.push([]);
    else if (token === ')') {
      const done = stack.pop();
      stack.at(-1)?.push(done);
    } else stack.at(-1)?.push(token);
  }
  return stack[0]?.[0];
}

function valueOf(found: unknown): boolean | number {
  if (found === 'true' || found === 'false') return found === 'true';
  if (typeof found === 'string') return Number(found);
  if (Array.isArray(found)) {
    const [sign, a, b] = found;
    if (sign === '-') return -Number(valueOf(a));
    if (sign === '/') return Number(valueOf(a)) / Number(valueOf(b));
  }
  throw new Error(`the solver gave no plain value: ${JSON.stringify(found)}`);
}
