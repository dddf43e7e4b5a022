#!/usr/bin/env node
// Starts the command line under a Node that can run it. Plain JavaScript for old versions of Node; it must never decide
// anything itself, and pass signals and exit codes on unchanged.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const OLDEST_MAJOR = 24;
// A checkout has the tools for policies as well; the service image has not.
const whole = fileURLToPath(new URL('../tools/privity.ts', import.meta.url));
const main = existsSync(whole) ? whole : fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const bundledNode = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));

if (Number.parseInt(process.versions.node, 10) >= OLDEST_MAJOR) {
  process.argv[1] = main;
  await import(main);
} else if (!existsSync(bundledNode)) {
  process.stderr.write(
    `privity needs Node ${OLDEST_MAJOR} or newer; this is ${process.version}. Install one, or run \`npm ci\` here, which brings its own.\n`,
  );
  process.exitCode = 2;
} else {
  const child = spawn(bundledNode, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to the child as well; passing it on would look like a second, impatient one.
  const onTerminal = Boolean(process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY);
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGHUP']) process.on(signal, () => onTerminal || child.kill(signal));
  for (const signal of ['SIGTERM', 'SIGUSR2']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`privity: ${bundledNode} does not start: ${error.message}\n`);
    process.exitCode = 2;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
