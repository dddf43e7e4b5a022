// Says where everything is, and gives commands to paste that show what Privity does. It must never print a secret but tokens that end within hours.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../../environment.ts';
import type { PolicySet } from '../../core/policy-set.ts';
import { mirrorCallers, type DevelopmentIssuer } from '../../io/identity/dev-issuer.ts';
import type { Shell } from '../shell/shell.ts';
import { count, definitions, printable } from '../shell/text.ts';
import { chooseDemo, type Demo, type DemoRequest } from './demo.ts';

export interface Started {
  readonly url: string;
  readonly set: PolicySet;
  readonly config: Config;
  readonly state: string;
  readonly issuer: DevelopmentIssuer;
}

interface Shown {
  readonly title: string;
  /** Null when the policies hold nothing to show it with. */
  readonly command: string | null;
}

export async function welcome(shell: Shell, started: Started): Promise<void> {
  const { out } = shell;
  const { url, set, config, state } = started;
  out.line(`${out.paint('green', 'Privity is running')} on ${out.paint('bold', url)}  (Ctrl-C stops it)`);
  out.line();
  const folder = (place: string) => path.relative(shell.folder, place) || place;
  const rules = `${count(set.rules.length, 'rule')}, ${count(set.walls.all.length, 'wall')}`;
  const rows: [string, string][] = [
    ['API', `${url}/v1/authorize`],
    ['documentation', `${url}/docs`],
    ['policies', `${folder(config.POLICIES_DIR)}: ${rules}, ${set.revision.slice(0, 19)}; edits are loaded at once`],
    ['database', `PostgreSQL 18 in ${folder(state)}; the data stay when you stop`],
    ['tokens', `\`${tokenCommand(shell, started)}\` makes more; only this machine trusts them`],
  ];
  for (const line of definitions(rows, out.columns)) out.line(line);
  out.line();
  for (const { title, command } of await commandsFor(shell, started)) {
    out.line(out.paint(command === null ? 'dim' : 'bold', `# ${printable(title)}`));
    if (command !== null) out.line(command);
    out.line();
  }
}

/** With the options that are needed because something is not where it usually is. */
function tokenCommand({ folder }: Shell, { config, state }: Started): string {
  const options = [
    ...(path.resolve(folder, '.privity') === state ? [] : [`--state ${quote(state)}`]),
    ...(path.resolve(folder, 'policies') === config.POLICIES_DIR ? [] : [`--policies ${quote(config.POLICIES_DIR)}`]),
  ];
  return ['npx privity token --person ID', ...options].join(' ');
}

async function commandsFor(shell: Shell, started: Started): Promise<readonly Shown[]> {
  const { set, url, issuer, state } = started;
  const callers = mirrorCallers(set.callers);
  const demo = chooseDemo(set, callers, shell.now());
  const answers = path.join(state, 'answers.jsonl');
  await writeFile(answers, '', { mode: 0o600 });
  const ask = async (what: string, one: DemoRequest | null): Promise<Shown> =>
    one === null
      ? { title: `${what}: no test case of these policies shows it`, command: null }
      : { title: `${what}: ${describe(one)}`, command: await askCommand(url, issuer, one, answers) };
  return [
    await ask('Allowed', demo.allowed),
    await ask('Denied by an ethical wall', demo.walled),
    await ask('Denied until the person steps up (MFA)', demo.stepUp),
    await showRecords(started, demo, answers),
  ];
}

async function showRecords({ url, issuer }: Started, demo: Demo, answers: string): Promise<Shown> {
  const [caller] = [demo.allowed, demo.walled, demo.stepUp].flatMap((one) => one?.caller ?? []);
  if (demo.reader === null || caller === undefined) {
    return { title: 'What was recorded: these policies let nobody they know read the log', command: null };
  }
  const token = await issuer.mintPersonToken({ claims: demo.reader, client: caller.client_id });
  const title = `What was recorded of these, as ${nameOf(demo.reader)} may read it`;
  return { title, command: recordsCommand(url, token, answers) };
}

/** The answer is kept, so that the last command knows which records to show. */
async function askCommand(url: string, issuer: DevelopmentIssuer, one: DemoRequest, answers: string): Promise<string> {
  const bearer = await issuer.mintCallerToken(one.caller);
  const person = await issuer.mintPersonToken({ claims: one.claims, client: one.caller.client_id });
  const body = {
    subject_token: person,
    action: { name: one.action },
    resource: one.resource,
    context: one.context,
  };
  return [
    `curl -s ${quote(`${url}/v1/authorize`)}`,
    `-H ${quote(`authorization: Bearer ${bearer}`)}`,
    `-H 'content-type: application/json'`,
    `-d ${quote(JSON.stringify(body))}`,
    `-w '\\n' | tee -a ${quote(answers)}`,
  ].join(' ');
}

function recordsCommand(url: string, token: string, answers: string): string {
  const urls = `s#.*"evaluation_id":"\\([^"]*\\)".*#${url}/v1/decisions/\\1#p`;
  return `curl -s -w '\\n' -H ${quote(`authorization: Bearer ${token}`)} $(sed -n ${quote(urls)} ${quote(answers)})`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function describe({ claims, action, resource, decision }: Demo['allowed'] & object): string {
  const matter = decision.matter === null || resource.type === 'matter' ? '' : ` of matter ${decision.matter}`;
  return `${nameOf(claims)}, ${action} ${resource.type} ${resource.id}${matter}`;
}

function nameOf(claims: Readonly<Record<string, unknown>>): string {
  const roles = Array.isArray(claims['roles']) && claims['roles'].length > 0 ? ` (${claims['roles'].join(', ')})` : '';
  return `${String(claims['sub'])}${roles}`;
}
