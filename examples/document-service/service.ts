// A document service: a list that Privity's filter trims in SQL, and routes that Privity guards. It must never send a title or a text
// that was not permitted.
import { sqlWhere, type PrivityClient } from '@privity/client';
import { privityGuard } from '@privity/client/fastify';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { COLUMNS, SAME_FOR_ALL, type Documents } from './documents.ts';

export interface Place {
  readonly network_zone: string;
  readonly device_managed: boolean;
  readonly country: string;
}

export interface ServiceDeps {
  readonly privity: PrivityClient;
  readonly documents: Documents;
  /** Where a request comes from, as the firm's network tells it. */
  readonly placeOf: (request: FastifyRequest) => Place;
}

const idOf = (request: FastifyRequest): string => String(Reflect.get(Object(request.params), 'id'));
const tokenOf = ({ headers }: FastifyRequest): string => (headers.authorization ?? '').replace(/^Bearer /i, '');

/** Only for counting: who it is, Privity finds out from the whole token. */
function personOf(request: FastifyRequest): string {
  const payload = Buffer.from(tokenOf(request).split('.')[1] ?? '', 'base64url').toString('utf8');
  return String(Reflect.get(Object(JSON.parse(payload || '{}')), 'sub'));
}

export async function buildService({ privity, documents, placeOf }: ServiceDeps): Promise<FastifyInstance> {
  const app = Fastify();
  await app.register(privityGuard, { client: privity, context: (request) => ({ ...placeOf(request) }) });
  const resource = (request: FastifyRequest) => documents.asResource(idOf(request));

  // Open to everybody who comes: each sees what the filter lets through, and strangers nothing.
  app.get('/documents', { config: { privity: 'open' } }, async (request) => {
    const filter = await privity.rowFilter(
      {
        action: 'list',
        resource: { type: 'document', properties: SAME_FOR_ALL },
        context: { ...placeOf(request) },
        target: 'postgresql',
        columns: COLUMNS,
      },
      { subjectToken: tokenOf(request), requestId: request.id },
    );
    return { documents: await documents.list(sqlWhere(filter)) };
  });

  app.get('/documents/:id', { config: { privity: { action: 'read', resource } } }, async (request) => {
    const { id, title, matter_id: matter, confidentiality } = (await documents.read(idOf(request))) ?? {};
    return { id, title, matter, confidentiality };
  });

  const copying = async (request: FastifyRequest) => ({
    bulk_count: 1,
    recent_downloads: await documents.countDownloads(personOf(request)),
  });
  const download = { action: 'download', resource, context: copying };
  app.get('/documents/:id/file', { config: { privity: download } }, async (request, reply) => {
    await documents.noteDownload(personOf(request));
    return reply.type('text/plain').send((await documents.read(idOf(request)))?.text);
  });
  return app;
}
