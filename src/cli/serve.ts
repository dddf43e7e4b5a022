// `privity serve`: the service on a database of its operator. It must never bring a database or an issuer of its own.
import type { Verb } from './shell/verb.ts';

export const verb: Verb = {
  about: [
    'Settings come from the environment; `privity config` shows them. Needs DATABASE_URL, a database that ' +
      '`privity migrate` has prepared. Does not start on wrong settings or policies, and lists every problem. ' +
      'SIGTERM and SIGINT stop it after everything accepted is answered and recorded.',
  ],
  options: {},
  examples: [
    {
      command: 'DATABASE_URL=postgres://privity_writer@db/privity HOST=0.0.0.0 privity serve',
      does: 'behind a reverse proxy that speaks TLS',
    },
  ],
  async run(shell) {
    const { serve } = await import('../server.ts');
    const failed = await serve((line) => shell.err.line(line));
    return failed === undefined ? 0 : 2;
  },
};
