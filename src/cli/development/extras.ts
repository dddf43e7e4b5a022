// What `privity start` puts beside the configuration: trust in the development issuer, for every caller of the policies. It must never be used by `privity serve`.
import { developmentIssuer, DEVELOPMENT_KEYS, type DevelopmentIssuer } from '../../io/identity/dev-issuer.ts';
import type { ServerExtras } from '../../server.ts';

export interface Development {
  readonly issuer: DevelopmentIssuer;
  readonly extras: Pick<ServerExtras, 'trustOf' | 'readKeyFile' | 'development' | 'looseWatch'>;
}

export async function developmentExtras(stateDir: string, now: () => number): Promise<Development> {
  const issuer = await developmentIssuer({ stateDir, now });
  return {
    issuer,
    extras: {
      trustOf: (set) => {
        const members = set.firm.dictionary.declared.filter(({ namespace }) => namespace === 'subject');
        return issuer.trust(
          set,
          members.map(({ name }) => name),
        );
      },
      readKeyFile: (file) => (file === DEVELOPMENT_KEYS ? issuer.keyBytes : null),
      development: true,
      looseWatch: true,
    },
  };
}
