// `privity doctor`: looks at everything the service depends on, before it starts or beside it, and says what to do. It must never change
// anything, nor print a secret.
import { processEnvironment, readConfig } from '../config.ts';
import type { Config } from '../environment.ts';
import { about, type Check, type Verdict } from './doctor/check.ts';
import { checkDatabase } from './doctor/database.ts';
import { checkJournal } from './doctor/journal.ts';
import { checkKeys } from './doctor/keys.ts';
import { checkMachine } from './doctor/machine.ts';
import { checkPolicies, checkShadow } from './doctor/policies.ts';
import { checkPublished } from './doctor/published.ts';
import { checkSecrets, masker, secretTexts } from './doctor/secrets.ts';
import { countOf, type Group, jsonReport, showTable } from './doctor/show.ts';
import { checkTrust } from './doctor/trust.ts';
import { checkWebhook } from './doctor/webhook.ts';
import type { Shell } from './shell/shell.ts';
import type { Verb } from './shell/verb.ts';

export const verb: Verb = {
  about: [
    'Looks at the configuration, the database with each configured role, keys and certificates, the journal of spool mode, places of ' +
      'checkpoints, policies, issuers, callers and the webhook, as the service would find them, and says for everything that is wrong what to do. It changes nothing and prints no ' +
      'secret. Run it under the account and in the environment of the service: before the first start, after every change, and when ' +
      'something is odd.',
    'A failure keeps the service from starting, answering or keeping its promises (exit code 1). A warning deserves a look; with ' +
      '`--strict` it counts as a failure, and so does what could not be checked.',
  ],
  options: {
    json: { help: 'one JSON object, for programs' },
    strict: { help: 'warnings, and what could not be checked, count as failures' },
    send: { help: 'post a test event (`privity.test.v1`) to WEBHOOK_URL' },
  },
  examples: [
    { command: 'privity doctor', does: 'what is wrong, and what to do' },
    { command: 'privity doctor --strict --json', does: 'in a deployment: anything but perfect stops it' },
    { command: 'privity doctor --send', does: 'whether the receiver of alerts is there' },
  ],
  async run(shell, args) {
    const environment = processEnvironment();
    const mask = masker(secretTexts(environment));
    const groups = (await examine(shell, environment, args.isOn('send'))).map(({ title, checks }) => ({
      title,
      checks: checks.map((check) => masked(check, mask)),
    }));
    shell.progress.clear();
    const bad: readonly Verdict[] = args.isOn('strict') ? ['failure', 'warning', 'could-not-check'] : ['failure'];
    const passed = bad.every((verdict) => countOf(groups, verdict) === 0);
    if (args.isOn('json')) shell.out.line(jsonReport(groups, passed));
    else showTable(shell.out, groups);
    return passed ? 0 : 1;
  },
};

async function examine(
  shell: Shell,
  environment: ReturnType<typeof processEnvironment>,
  send: boolean,
): Promise<readonly Group[]> {
  const { config, problems } = readConfig(environment);
  const process: Group = { title: 'Process', checks: checkMachine(config) };
  const settings = [...judgeConfiguration(problems), ...checkSecrets(environment)];
  if (config === null) return [process, { title: 'Settings', checks: [...settings, ...theRest()] }];
  return [process, { title: 'Settings', checks: settings }, ...(await examineService(shell, config, send))];
}

async function examineService(shell: Shell, config: Config, send: boolean): Promise<readonly Group[]> {
  const now = shell.now;
  const keys = await checkKeys(config, now());
  const kept = [...checkJournal(config), ...(await checkPublished(config))];
  shell.progress.show('asking the database …');
  const database = await checkDatabase(config, now);
  shell.progress.show('loading the policies …');
  const { set, checks: policies } = await checkPolicies(config, now());
  shell.progress.show('asking issuers for their keys …');
  const trust = set === null ? [] : await checkTrust({ set, policiesDir: config.POLICIES_DIR, now });
  const webhook = await checkWebhook(config, { set, send, now });
  return [
    { title: 'Keys and certificates', checks: keys },
    ...(kept.length === 0 ? [] : [{ title: 'Journal and checkpoints', checks: kept }]),
    { title: 'Database', checks: database },
    { title: 'Policies', checks: [...policies, ...(await checkShadow(config))] },
    { title: 'Trust', checks: set === null ? [untilPoliciesLoad()] : trust },
    { title: 'Webhook', checks: webhook },
  ];
}

function judgeConfiguration(problems: readonly string[]): readonly Check[] {
  const check = about('configuration', 'every setting of the environment (docs/configuration.md)');
  if (problems.length === 0) return [check.ok('every setting is well formed')];
  return problems.map((problem) => check.failure(problem, 'mend it; the service does not start on wrong settings'));
}

function theRest(): readonly Check[] {
  return ['keys', 'database', 'policies', 'issuers', 'callers', 'webhook'].map((name) =>
    about(name, 'what the settings lead to').couldNotCheck(
      'the settings are not known',
      'mend the configuration first',
    ),
  );
}

function untilPoliciesLoad(): Check {
  return about('issuers', 'issuers.yaml and callers.yaml').couldNotCheck(
    'the policies do not load',
    'mend the policies first',
  );
}

function masked(check: Check, mask: (text: string) => string): Check {
  return { ...check, found: mask(check.found), todo: check.todo === null ? null : mask(check.todo) };
}
