// Makes the metadata of this decision point from the settings (AuthZEN 1.0, section 9.1). It must never name an address that the operator
// has not stated: whoever asks could choose it.
import type { Config } from './environment.ts';
import { signMetadata } from './io/identity/sign-metadata.ts';
import { loadWriterKey } from './io/log/writer-key.ts';
import type { PdpMetadata } from './model/authzen.ts';
import { StartupError } from './startup-error.ts';

/** Null: nobody has said under which address this service is known. @throws StartupError */
export async function openMetadata({ PUBLIC_URL, METADATA_KEY_FILE }: Config): Promise<PdpMetadata | null> {
  if (PUBLIC_URL === undefined) return null;
  const base = PUBLIC_URL.replace(/\/$/, '');
  const metadata: PdpMetadata = {
    policy_decision_point: base,
    access_evaluation_endpoint: `${base}/access/v1/evaluation`,
    access_evaluations_endpoint: `${base}/access/v1/evaluations`,
    search_subject_endpoint: `${base}/access/v1/search/subject`,
    search_resource_endpoint: `${base}/access/v1/search/resource`,
    search_action_endpoint: `${base}/access/v1/search/action`,
  };
  if (METADATA_KEY_FILE === undefined) return metadata;
  const signed = await loadWriterKey(METADATA_KEY_FILE, 'metadata key')
    .then((key) => signMetadata(metadata, base, key))
    .catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new StartupError('the metadata key cannot be used', [`METADATA_KEY_FILE: ${reason}`], error);
    });
  return { ...metadata, signed_metadata: signed };
}
