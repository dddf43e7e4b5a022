// `privity health`: asks the service of this machine, with the settings it was started with, whether it lives or is ready; for container
// health checks. It must never ask another machine, nor start anything.
import http from 'node:http';
import https from 'node:https';
import { readSettings } from './shell/settings.ts';
import type { Verb } from './shell/verb.ts';

const TIMEOUT_MS = 3_000;

export const verb: Verb = {
  about: [
    'Asks /livez of the service that runs here with the same HOST, PORT and TLS settings, or /readyz. Exit code 0 when it ' +
      'answers well, 1 when it does not.',
  ],
  options: { ready: { help: 'ask whether it can answer, and not only whether it lives' } },
  examples: [{ command: 'privity health', does: 'as HEALTHCHECK of a container' }],
  async run(shell, args) {
    const { HOST, PORT, TLS_CERT_FILE } = readSettings();
    const path = args.isOn('ready') ? '/readyz' : '/livez';
    const { status, text } = await ask(addressOf(HOST), PORT, path, TLS_CERT_FILE !== undefined);
    (status === 200 ? shell.out : shell.err).line(text);
    return status === 200 ? 0 : 1;
  },
};

/** A service that listens everywhere listens here. */
function addressOf(host: string): string {
  return host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
}

function ask(host: string, port: number, path: string, isTls: boolean): Promise<{ status: number; text: string }> {
  // Its certificate names the service, not this machine; what is asked is no secret, and nothing is sent.
  const options = { host, port, path, timeout: TIMEOUT_MS, agent: false, rejectUnauthorized: false } as const;
  return new Promise((resolve) => {
    const fail = (error: Error): void =>
      resolve({ status: 0, text: `${host}:${port} does not answer: ${error.message}` });
    const request = (isTls ? https : http).get(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', fail);
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    request.once('timeout', () => request.destroy(new Error(`nothing in ${TIMEOUT_MS} ms`)));
    request.once('error', fail);
  });
}
