// Judges the certificate that a caller's connection was opened with. It must never take one for verified that TLS did not verify, nor
// believe a header about it.
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { PrivityError } from '../model/errors.ts';

/** Orchestrators have no certificate, and learn nothing but codes. */
const FOR_EVERYBODY = new Set(['/livez', '/readyz']);

const known = new WeakMap<Socket, string | null>();

/**
 * `x5t#S256` of the certificate that this connection's client has proven to own (RFC 8705, 3.1); null without one that the
 * configured authorities have signed.
 */
export function thumbprintOf({ raw: { socket } }: FastifyRequest): string | null {
  if (!(socket instanceof TLSSocket)) return null;
  const found = known.get(socket);
  if (found !== undefined) return found;
  // Both, and not `authorized` alone, which says nothing of a certificate where none had to be shown.
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  const thumbprint =
    certificate === undefined ? null : createHash('sha256').update(certificate.raw).digest('base64url');
  known.set(socket, thumbprint);
  return thumbprint;
}

/** Every door but health is closed to connections without a certificate. */
export const clientCertificates = fp(
  (app: FastifyInstance, _options: object, done: (error?: Error) => void) => {
    app.addHook('onRequest', (request, _reply, next) => {
      const isOpen = FOR_EVERYBODY.has(request.routeOptions.url ?? '') || thumbprintOf(request) !== null;
      next(isOpen ? undefined : new PrivityError('client_certificate_required'));
    });
    done();
  },
  { name: 'client-certificates' },
);
