// Describes the doors to the outside: the OpenAPI document, made from the route schemas, and a page to read it. It must never load
// anything from elsewhere, nor promise what no route does.
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { AccessRequest, AccessTask } from '../model/access-requests.ts';
import { AbilitiesAnswer } from '../model/abilities.ts';
import { ApprovalAnswer, ApprovalRequest } from '../model/approvals.ts';
import {
  ActionsAnswer,
  ActionSearch,
  EvaluationAnswer,
  EvaluationRequest,
  EvaluationsAnswer,
  EvaluationsRequest,
  PdpMetadata,
  ResourceSearch,
  SearchAnswer,
  SubjectSearch,
} from '../model/authzen.ts';
import { AuditReport } from '../model/audit-report.ts';
import { CheckpointsAnswer, ConsistencyAnswer } from '../model/checkpoints.ts';
import { ERRORS, type ErrorCode } from '../model/errors.ts';
import { AuthorizeAnswer, AuthorizeRequest, BatchAnswer, BatchRequest, Problem } from '../model/evaluation.ts';
import { FieldsAnswer, FieldsRequest } from '../model/fields.ts';
import { ForwardAnswer } from '../model/forward-auth.ts';
import { FilterAnswer, FilterRequest } from '../model/filter.ts';
import { LiveAnswer, PolicyAnswer, ReadyAnswer, RecordAnswer } from '../model/reports.ts';
import { ReviewAnswer, ReviewRequest, ReviewsAnswer } from '../model/reviews.ts';
import { DecisionsAnswer } from '../model/search.ts';
import { problemOf, RETRY_SECONDS } from './errors.ts';
import { EXAMPLE_ID, EXAMPLE_PARAMETERS, EXAMPLES } from './openapi-examples.ts';
import { OPERATIONS, type OperationName } from './openapi-operations.ts';

const SCHEMAS = [
  AuthorizeRequest,
  AuthorizeAnswer,
  BatchRequest,
  BatchAnswer,
  FieldsRequest,
  FieldsAnswer,
  AbilitiesAnswer,
  FilterRequest,
  FilterAnswer,
  ForwardAnswer,
  EvaluationRequest,
  EvaluationAnswer,
  EvaluationsRequest,
  EvaluationsAnswer,
  SubjectSearch,
  ResourceSearch,
  SearchAnswer,
  ActionSearch,
  ActionsAnswer,
  PdpMetadata,
  AccessRequest,
  AccessTask,
  ApprovalRequest,
  ApprovalAnswer,
  RecordAnswer,
  DecisionsAnswer,
  CheckpointsAnswer,
  ConsistencyAnswer,
  ReviewsAnswer,
  ReviewRequest,
  ReviewAnswer,
  AuditReport,
  PolicyAnswer,
  LiveAnswer,
  ReadyAnswer,
  Problem,
];

/** A shared schema, by its `$id`. */
export type SchemaName =
  | 'AuthorizeRequest'
  | 'AuthorizeAnswer'
  | 'BatchRequest'
  | 'BatchAnswer'
  | 'FieldsRequest'
  | 'FieldsAnswer'
  | 'AbilitiesAnswer'
  | 'FilterRequest'
  | 'FilterAnswer'
  | 'ForwardAnswer'
  | 'EvaluationRequest'
  | 'EvaluationAnswer'
  | 'EvaluationsRequest'
  | 'EvaluationsAnswer'
  | 'SubjectSearch'
  | 'ResourceSearch'
  | 'SearchAnswer'
  | 'ActionSearch'
  | 'ActionsAnswer'
  | 'PdpMetadata'
  | 'AccessRequest'
  | 'AccessTask'
  | 'ApprovalRequest'
  | 'ApprovalAnswer'
  | 'RecordAnswer'
  | 'DecisionsAnswer'
  | 'CheckpointsAnswer'
  | 'ConsistencyAnswer'
  | 'ReviewsAnswer'
  | 'AuditReport'
  | 'ReviewRequest'
  | 'ReviewAnswer'
  | 'PolicyAnswer'
  | 'LiveAnswer'
  | 'ReadyAnswer';

export function shared(name: SchemaName): { readonly $ref: string } {
  return { $ref: `${name}#` };
}

/** What a route's schema says about it. */
export function describe(name: OperationName) {
  const { tag, summary, description, open } = OPERATIONS[name];
  return { operationId: name, tags: [tag], summary, description, ...(open ? { security: [] } : {}) };
}

export const openapi = fp(
  async (app: FastifyInstance, { version }: { readonly version: string }) => {
    for (const schema of SCHEMAS) app.addSchema(schema);
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Privity',
          version,
          summary: 'Is this person privy to this matter?',
          description:
            'Decides, explains and records every request before it answers. A deny is an answer (200); any other status means ' +
            'that there is no answer, and the caller must treat it as a deny.',
          license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
        },
        servers: [{ url: 'http://{host}', variables: { host: { default: '127.0.0.1:8080' } } }],
        tags: [
          { name: 'decisions', description: 'Questions and answers' },
          { name: 'authzen', description: 'Questions and answers in the words of OpenID AuthZEN 1.0' },
          { name: 'log', description: 'What was answered, for those who may read it' },
          { name: 'service', description: 'The service itself' },
        ],
        security: [{ bearer: [] }],
        components: {
          securitySchemes: {
            bearer: {
              type: 'http',
              scheme: 'bearer',
              bearerFormat: 'JWT',
              description: 'The caller’s own access token, or the token of a person issued to a registered caller',
            },
          },
        },
      },
      refResolver: {
        buildLocalReference: (json, _base, _fragment, index) =>
          typeof json['$id'] === 'string' ? json['$id'] : `schema-${index}`,
      },
      transformObject: (document) =>
        'openapiObject' in document ? complete(document.openapiObject) : document.swaggerObject,
    });
  },
  { name: 'openapi' },
);

/** The document and the page for people. Registered after the doors they describe. */
export async function documentation(app: FastifyInstance): Promise<void> {
  app.get(
    '/openapi.json',
    { schema: { ...describe('openapi'), response: { 200: { type: 'object', additionalProperties: true } } } },
    (_request, reply) => reply.type('application/json; charset=utf-8').serializer(JSON.stringify).send(app.swagger()),
  );
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    // No validator, no fonts, no scripts from anywhere else; the page needs no more than itself and the document.
    uiConfig: { validatorUrl: null, docExpansion: 'list', deepLinking: true, persistAuthorization: false },
    staticCSP: {
      'default-src': ["'none'"],
      'script-src': ["'self'"],
      'style-src': ["'self'", "'unsafe-inline'"],
      'img-src': ["'self'", 'data:'],
      'connect-src': ["'self'"],
      'base-uri': ["'none'"],
      'form-action': ["'none'"],
      'frame-ancestors': ["'none'"],
    },
  });
}

type Json = Record<string, unknown>;

/** Adds what route schemas cannot hold: examples, and the problems each operation may answer with. */
function complete<T extends object>(document: T): T {
  const paths = member(document, 'paths');
  for (const path of Object.values(paths)) {
    for (const operation of Object.values(path as Json)) {
      const name = (operation as { operationId?: OperationName }).operationId;
      if (name !== undefined) completeOperation(operation as Json, name);
    }
  }
  return document;
}

function completeOperation(operation: Json, name: OperationName): void {
  const { errors, success } = OPERATIONS[name];
  const { request, answers } = EXAMPLES[name];
  const responses = member(operation, 'responses');
  if (request !== undefined) addExamples(member(operation, 'requestBody'), request);
  const parameters = operation['parameters'];
  if (Array.isArray(parameters)) for (const one of parameters as Json[]) one['example'] = exampleOf(one);
  for (const [status, examples] of Object.entries(answers)) addExamples(member(responses, status), examples);
  for (const [status, words] of Object.entries(success)) member(responses, status)['description'] = words;
  for (const [status, codes] of Object.entries(Object.groupBy(errors, (code) => String(ERRORS[code].status)))) {
    responses[status] ??= problemResponse(codes ?? []);
  }
}

function problemResponse(codes: readonly ErrorCode[]): Json {
  const examples = codes.map((code) => [
    code,
    { summary: ERRORS[code].title, value: problemOf(code, EXAMPLE_ID, PROBLEM_DETAILS[code]) },
  ]);
  return {
    description: codes.map((code) => `${ERRORS[code].title} (\`${code}\`)`).join('; '),
    ...headersOf(codes),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(examples),
      },
    },
  };
}

function headersOf(codes: readonly ErrorCode[]): { readonly headers?: Json } {
  const text = (description: string): Json => ({ description, schema: { type: 'string' } });
  if (codes.includes('token_refused'))
    return { headers: { 'WWW-Authenticate': text('RFC 6750, with the class of the reason') } };
  if (codes.some((code) => code in RETRY_SECONDS)) return { headers: { 'Retry-After': text('seconds to wait') } };
  return {};
}

const PROBLEM_DETAILS: Partial<Record<ErrorCode, { readonly detail: string; readonly pointer?: string }>> = {
  malformed_request: { detail: 'this member is missing', pointer: '/action/name' },
  caller_not_allowed: { detail: 'the caller lacks the right `authorize`' },
};

function addExamples(holder: Json, examples: Json): void {
  for (const media of Object.values(member(holder, 'content')) as Json[]) {
    // Text in one form is no example of another.
    const isText = member(media, 'schema')['type'] === 'string';
    const fitting = Object.entries(examples).filter(([, one]) => !isText || typeof (one as Json)['value'] === 'string');
    if (fitting.length > 0) media['examples'] = Object.fromEntries(fitting);
  }
}

/** Parameters of one name may take different words at different doors. */
function exampleOf(parameter: Json): unknown {
  const example = EXAMPLE_PARAMETERS[String(parameter['name'])];
  const words = member(parameter, 'schema')['enum'];
  return Array.isArray(words) && !words.includes(example) ? (words[0] as unknown) : example;
}

function member(holder: object, name: string): Json {
  const value: unknown = Reflect.get(holder, name);
  if (typeof value !== 'object' || value === null) throw new Error(`the API description lacks \`${name}\``);
  return value as Json;
}
