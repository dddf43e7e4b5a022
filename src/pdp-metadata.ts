// Makes the metadata of this decision point from the settings and the words of firm.yaml (AuthZEN 1.0, section 9.1). It must never name
// an address that the operator has not stated: whoever asks could choose it.
import type { Config } from './environment.ts';
import { signMetadata } from './io/identity/sign-metadata.ts';
import { loadWriterKey } from './io/log/writer-key.ts';
import type { PdpMetadata } from './model/authzen.ts';
import { StartupError } from './startup-error.ts';

export interface MetadataSource {
  /** The public address, without a slash at its end. */
  readonly address: string;
  /** @param obligations types that answers may hold; what has no value is left out (section 9.2.2) */
  of(obligations: readonly string[]): Promise<PdpMetadata>;
}

/** Access request and approval profile, section 4.1. */
const CAPABILITIES = ['urn:openid:authzen:capability:access-request'];

/** Null: nobody has said under which address this service is known. @throws StartupError */
export async function openMetadata({ PUBLIC_URL, METADATA_KEY_FILE }: Config): Promise<MetadataSource | null> {
  if (PUBLIC_URL === undefined) return null;
  const address = PUBLIC_URL.replace(/\/$/, '');
  const fixed = {
    policy_decision_point: address,
    access_evaluation_endpoint: `${address}/access/v1/evaluation`,
    access_evaluations_endpoint: `${address}/access/v1/evaluations`,
    search_subject_endpoint: `${address}/access/v1/search/subject`,
    search_resource_endpoint: `${address}/access/v1/search/resource`,
    search_action_endpoint: `${address}/access/v1/search/action`,
    access_request_endpoint: `${address}/access/v1/requests`,
    capabilities: CAPABILITIES,
  };
  const plain = (obligations: readonly string[]): PdpMetadata =>
    obligations.length === 0 ? fixed : { ...fixed, supported_obligations: [...obligations] };
  if (METADATA_KEY_FILE === undefined) return { address, of: (obligations) => Promise.resolve(plain(obligations)) };

  const unusable = (error: unknown): never => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError('the metadata key cannot be used', [`METADATA_KEY_FILE: ${reason}`], error);
  };
  const key = await loadWriterKey(METADATA_KEY_FILE, 'metadata key').catch(unusable);
  const sign = async (obligations: readonly string[]): Promise<PdpMetadata> => {
    const metadata = plain(obligations);
    return { ...metadata, signed_metadata: await signMetadata(metadata, address, key) };
  };
  // Signed anew only when firm.yaml says something else.
  let last = { of: '', metadata: await sign([]).catch(unusable) };
  return {
    address,
    async of(obligations) {
      const types = obligations.join(' ');
      if (types !== last.of) last = { of: types, metadata: await sign(obligations) };
      return last.metadata;
    },
  };
}
