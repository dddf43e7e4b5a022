// The program that runs the service and looks at its log and policies. It must never do more than join its parts.
import { runProgram } from './program.ts';
import { ELSEWHERE, VERBS } from './verbs.ts';

await runProgram(VERBS, ELSEWHERE);
