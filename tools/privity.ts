// The whole command line: the program of the service, and the tools of those who write policies. It must never be needed to serve.
import { runProgram } from '../src/cli/program.ts';
import { VERBS } from '../src/cli/verbs.ts';
import { POLICY_TOOLS } from './policy/tools.ts';

await runProgram(new Map([...VERBS, ...POLICY_TOOLS]));
