// The door to what this decision point offers, and where (AuthZEN 1.0, section 9). Of policies it says which types of obligations there
// are, and must never say more.
import type { FastifyInstance } from 'fastify';
import { issuableTypes } from '../core/obligation-types.ts';
import type { PolicySet } from '../core/policy-set.ts';
import type { PdpMetadata } from '../model/authzen.ts';
import { PrivityError } from '../model/errors.ts';
import type { MetadataSource } from '../pdp-metadata.ts';
import { describe, shared } from './openapi.ts';

export interface AuthzenMetadataOptions {
  /** Null where the operator has not stated the public address. */
  readonly metadata: MetadataSource | null;
  readonly policies: { current(): PolicySet };
}

const WELL_KNOWN = '/.well-known/authzen-configuration';
const CACHE = 'public, max-age=300';

export function authzenMetadata(
  app: FastifyInstance,
  { metadata, policies }: AuthzenMetadataOptions,
  done: () => void,
): void {
  const schema = { ...describe('authzenMetadata'), response: { 200: shared('PdpMetadata') } };
  app.get(WELL_KNOWN, { schema }, (_request, reply) => answer(reply));
  // Section 9.2.1: a path of the address comes after the well-known one.
  const path = metadata === null ? '/' : new URL(metadata.address).pathname;
  if (path !== '/')
    app.get(WELL_KNOWN + path, { schema: { hide: true, response: schema.response } }, (_request, reply) =>
      answer(reply),
    );
  done();

  async function answer(reply: { header(name: string, value: string): unknown }): Promise<PdpMetadata> {
    if (metadata === null) throw new PrivityError('not_found', { detail: 'PUBLIC_URL is not set' });
    const described = await metadata.of(issuableTypes(policies.current().firm));
    reply.header('cache-control', CACHE);
    return described;
  }
}
