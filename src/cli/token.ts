// `privity token`: tokens of the development issuer, for trying things out. It must never sign for an issuer that anybody else trusts.
import type { PolicySet } from '../core/policy-set.ts';
import { nearest } from '../core/suggest.ts';
import type { CallerEntry } from '../model/data.ts';
import { developmentClaims } from './development/claims.ts';
import { STATE_OPTION, stateFolder } from './development/state.ts';
import { loadSet, POLICIES_OPTION } from './policies/load.ts';
import { type Arguments, UsageError, type Verb } from './shell/verb.ts';

export const verb: Verb = {
  about: [
    'For a service that was started with `privity start` on this machine; no other service trusts these tokens. ' +
      'The last line is the bare token, the only one on standard output.',
    'With `--person` the claims come from the directory in the policies (data/people), signed in just now with a second ' +
      'factor. With `--caller` alone it is that system’s own token; beside `--person` or `--claims`, the person’s token ' +
      'as issued to that system.',
  ],
  options: {
    person: { value: 'ID', help: 'a person of the directory' },
    caller: { value: 'ID', help: 'a system of callers.yaml' },
    claims: { value: 'JSON', help: 'claims by attribute name, with sub; beside `--person` they replace single ones' },
    policies: POLICIES_OPTION,
    state: STATE_OPTION,
  },
  examples: [
    { command: 'privity token --person u-okafor', does: 'a bearer token of a person, also good as subject_token' },
    { command: 'privity token --caller dms', does: 'the token of the document management system' },
    {
      command: `privity token --claims '{ "sub": "u-new", "roles": ["partner"], "user_type": "internal" }'`,
      does: 'somebody who is not in the directory',
    },
  ],
  async run(shell, args) {
    const [person, callerId] = [args.text('person'), args.text('caller')];
    const claims = readClaims(args);
    if (person === undefined && callerId === undefined && claims === null) {
      throw new UsageError('whose token?', 'give `--person ID`, `--caller ID` or `--claims JSON`');
    }
    const { set } = await loadSet(shell, args);
    const { developmentIssuer, mirrorCallers } = await import('../io/identity/dev-issuer.ts');
    const issuer = await developmentIssuer({ stateDir: stateFolder(shell, args), now: shell.now });
    const callers = mirrorCallers(set.callers);
    const caller = callerId === undefined ? usualCaller(callers) : findCaller(callers, callerId);
    if (person === undefined && claims === null && caller !== undefined) {
      // A service account may ask about itself when its token says what it is.
      const service = developmentClaims(set, caller.client_id, shell.now());
      shell.out.line(await issuer.mintCallerToken(caller, service?.['user_type'] === 'service' ? service : {}));
      return 0;
    }
    const all = { ...(person === undefined ? {} : claimsOf(set, person, shell.now())), ...claims };
    if (typeof all['sub'] !== 'string') throw new UsageError('the claims have no `sub`', 'it names the person');
    const client = caller?.client_id ?? 'privity-dev';
    shell.err.line(`${all['sub']} signed in through ${caller?.id ?? client}; keys in ${stateFolder(shell, args)}`);
    shell.out.line(await issuer.mintPersonToken({ claims: all, client }));
    return 0;
  },
};

function readClaims(args: Arguments): Readonly<Record<string, unknown>> | null {
  const text = args.text('claims');
  if (text === undefined) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch (error) {
    throw new UsageError('`--claims` is not JSON', error instanceof Error ? error.message : undefined);
  }
  throw new UsageError('`--claims` must be a JSON object', 'such as { "sub": "u-new", "user_type": "internal" }');
}

/** A person may sign in through any system; the one that may ask most is the most useful. */
function usualCaller(callers: readonly CallerEntry[]): CallerEntry | undefined {
  const [first] = callers
    .filter(({ ai_assistant: assistant, may }) => assistant === undefined && may.includes('authorize'))
    .toSorted((a, b) => b.may.length - a.may.length);
  return first;
}

function findCaller(callers: readonly CallerEntry[], id: string): CallerEntry {
  const found = callers.find((caller) => caller.id === id);
  if (found !== undefined) return found;
  throw new UsageError(
    `no caller \`${id}\` is registered in callers.yaml`,
    suggestion(
      id,
      callers.map((caller) => caller.id),
    ),
  );
}

function claimsOf(set: PolicySet, person: string, now: number): Readonly<Record<string, unknown>> {
  const claims = developmentClaims(set, person, now);
  if (claims !== null) return claims;
  const known = [...set.data.directory.keys()];
  throw new UsageError(`the directory in the policies does not know \`${person}\``, suggestion(person, known));
}

function suggestion(id: string, known: readonly string[]): string {
  const near = nearest(id, known);
  if (near !== undefined) return `did you mean \`${near}\`?`;
  return known.length === 0
    ? 'it knows nobody'
    : `known: ${known.slice(0, 12).join(', ')}${known.length > 12 ? ', …' : ''}`;
}
