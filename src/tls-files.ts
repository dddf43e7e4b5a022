// Opens the TLS files that the settings name. It must never let a service start that should speak TLS and cannot.
import type { Logger } from 'pino';
import type { Config } from './environment.ts';
import { openTls, type Tls } from './http/tls.ts';
import { StartupError } from './startup-error.ts';

/** @throws StartupError */
export async function openTlsFiles(config: Config, log: Logger): Promise<Tls | null> {
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile, TLS_CLIENT_CA_FILE: clientCaFile = null } = config;
  if (certFile === undefined || keyFile === undefined) return null;
  return openTls({ certFile, keyFile, clientCaFile }, { log }).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError('the TLS files cannot be used', [reason], error);
  });
}
