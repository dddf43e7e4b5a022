// `privity start` (npm start): everything on this machine, for trying out: database, issuer, service. It must never listen beyond loopback, nor leave anything running.
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import type { Config } from '../environment.ts';
import type { EmbeddedServer } from '../io/db/embedded.ts';
import { developmentExtras } from './development/extras.ts';
import { createDevelopmentLog } from './development/log.ts';
import { createStopSignal, type StopSignal } from './development/stop-signal.ts';
import { checkpointFolder, checkpointKeyFile, STATE_OPTION, stateFolder, writerKeyFile } from './development/state.ts';
import { welcome } from './development/welcome.ts';
import { POLICIES_OPTION } from './policies/load.ts';
import { readSettings } from './shell/settings.ts';
import type { Shell } from './shell/shell.ts';
import { type Arguments, type ExitCode, UsageError, type Verb } from './shell/verb.ts';

export const verb: Verb = {
  about: [
    'Needs no database, no container, no account: PostgreSQL comes from npm and keeps its data in .privity/, tokens come ' +
      'from a development issuer that only this machine trusts, beside those of issuers.yaml. When everything runs it ' +
      'prints curl commands to paste into another terminal. Edited policies are loaded again at once.',
    'Ctrl-C stops everything; the data stay for the next time. For production there is `privity serve`.',
  ],
  options: {
    port: { value: 'PORT', help: 'the port to listen on; otherwise PORT, or 8080; 0 picks a free one' },
    policies: POLICIES_OPTION,
    state: STATE_OPTION,
  },
  examples: [
    { command: 'npm start', does: 'in a clone; the same as `privity start`' },
    { command: 'privity start --port 9000 --policies examples/small-firm', does: 'other policies, another port' },
  ],
  async run(shell, args) {
    const settings = chosenSettings(shell, args);
    const state = stateFolder(shell, args);
    await requirePort(settings);
    const signal = createStopSignal();
    const undo: (() => Promise<void>)[] = [];
    try {
      return await runUntilStopped(shell, settings, state, signal, undo);
    } finally {
      shell.progress.clear();
      for (const step of undo.toReversed()) await step();
      signal.close();
    }
  },
};

async function runUntilStopped(
  shell: Shell,
  settings: Config,
  state: string,
  signal: StopSignal,
  undo: (() => Promise<void>)[],
): Promise<ExitCode> {
  const database = await startDatabase(shell, state);
  undo.push(() => database.stop());
  if (signal.isGiven()) return 0;
  shell.progress.show('migrating …');
  const { migrate } = await import('../io/db/migrate.ts');
  await migrate({ url: database.urls.owner });
  if (signal.isGiven()) return 0;

  shell.progress.show('loading policies …');
  const development = await developmentExtras(state, shell.now);
  const { startServer } = await import('../server.ts');
  const config: Config = {
    ...settings,
    DATABASE_URL: database.urls.writer,
    DATABASE_OWNER_URL: database.urls.owner,
    DATABASE_READER_URL: database.urls.reader,
    DATABASE_SEALER_URL: database.urls.sealer,
    ...(settings.PUBLIC_URL === undefined && settings.PORT !== 0
      ? { PUBLIC_URL: `http://127.0.0.1:${settings.PORT}` }
      : {}),
    WRITER_KEY_FILE: settings.WRITER_KEY_FILE ?? (await writerKeyFile(state)),
    CHECKPOINT_KEY_FILE: settings.CHECKPOINT_KEY_FILE ?? (await checkpointKeyFile(state)),
    CHECKPOINT_DIR: settings.CHECKPOINT_DIR ?? checkpointFolder(state),
  };
  const logTo = createDevelopmentLog(shell.err);
  const server = await startServer(config, { ...development.extras, logTo, onSignals: false }).catch(explainStart);
  undo.push(async () => void (await server.stop()));
  shell.progress.clear();
  const set = server.app.policies.current();
  await welcome(shell, { url: server.url, set, config, state, issuer: development.issuer });
  logTo.begin();

  const reason = await Promise.race([signal.given, database.exited.then(() => 'database')]);
  shell.err.line(reason === 'database' ? 'the database has ended by itself' : 'stopping …');
  undo.unshift(() => Promise.resolve(shell.err.line(`stopped; the data stay in ${state}`)));
  return reason === 'database' ? 2 : 0;
}

/** The settings of the environment, under the options; never a database of somebody else's. */
function chosenSettings(shell: Shell, args: Arguments): Config {
  const settings = readSettings();
  if (settings.DATABASE_URL !== undefined) {
    shell.err.line('DATABASE_URL is set and not used: `privity start` brings its own database');
  }
  const port = args.text('port');
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) <= 65_535)) {
    throw new UsageError(`\`--port ${port}\` is no port`, 'a number from 0 to 65535');
  }
  const policies = path.resolve(shell.folder, args.text('policies') ?? settings.POLICIES_DIR);
  return { ...settings, POLICIES_DIR: policies, PORT: port === undefined ? settings.PORT : Number(port) };
}

/** Asked first, so that nobody waits for a database only to hear this. */
async function requirePort({ HOST: host, PORT: port }: Config): Promise<void> {
  const code = await new Promise<string | undefined>((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen({ host, port }, () => probe.close(() => resolve(undefined)));
  });
  if (code === 'EADDRINUSE') {
    throw new UsageError(`port ${port} is in use`, 'stop what uses it, or take another: `npm start -- --port 9000`');
  }
  if (code !== undefined) throw new UsageError(`cannot listen on ${host}:${port}: ${code}`, 'see HOST and PORT');
}

async function startDatabase(shell: Shell, state: string): Promise<EmbeddedServer> {
  const { startEmbedded } = await import('../io/db/embedded.ts');
  shell.progress.show('starting PostgreSQL …');
  await mkdir(state, { recursive: true });
  return await startEmbedded({ folder: path.join(state, 'postgres') });
}

function explainStart(error: unknown): never {
  const problems: unknown = error instanceof Error && 'problems' in error ? error.problems : undefined;
  if (!(error instanceof Error) || !Array.isArray(problems)) throw error;
  throw new UsageError(error.message, undefined, problems.map(String));
}
