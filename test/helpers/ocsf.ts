// What OCSF asks of an API Activity (6003) with the profile security_control: required members, their types and enums, as the schema
// (1.5.0) has them. It must never know how Privity fills them.
import { Ajv } from 'ajv';

const text = { type: 'string', minLength: 1 } as const;
const endpoint = [
  'name',
  'uid',
  'svc_name',
  'ip',
  'hostname',
  'instance_uid',
  'interface_uid',
  'interface_name',
  'domain',
];

const EVENT = {
  type: 'object',
  required: [
    'activity_id',
    'category_uid',
    'class_uid',
    'type_uid',
    'time',
    'severity_id',
    'metadata',
    'actor',
    'api',
    'src_endpoint',
  ],
  properties: {
    activity_id: { enum: [0, 1, 2, 3, 4, 99] },
    activity_name: text,
    category_uid: { const: 6 },
    class_uid: { const: 6003 },
    type_uid: { enum: [600300, 600301, 600302, 600303, 600304, 600399] },
    time: { type: 'integer', minimum: 946_684_800_000 },
    severity_id: { enum: [0, 1, 2, 3, 4, 5, 6, 99] },
    status_id: { enum: [0, 1, 2, 99] },
    action_id: { enum: [0, 1, 2, 3, 4, 99] },
    disposition_id: { type: 'integer', minimum: 0, maximum: 99 },
    is_alert: { type: 'boolean' },
    metadata: {
      type: 'object',
      required: ['product', 'version'],
      properties: {
        version: { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+' },
        product: {
          type: 'object',
          anyOf: [{ required: ['name'] }, { required: ['uid'] }],
          properties: { vendor_name: text, name: text, version: text },
        },
        profiles: { type: 'array', contains: { const: 'security_control' } },
        uid: text,
        correlation_uid: text,
        sequence: { type: 'integer' },
        log_name: text,
      },
    },
    actor: {
      type: 'object',
      anyOf: ['process', 'user', 'invoked_by', 'session', 'app_name', 'app_uid'].map((name) => ({ required: [name] })),
      properties: {
        app_uid: text,
        user: {
          type: 'object',
          anyOf: ['name', 'uid', 'account'].map((name) => ({ required: [name] })),
          properties: { uid: text },
        },
        authorizations: {
          type: 'array',
          items: {
            type: 'object',
            anyOf: [{ required: ['decision'] }, { required: ['policy'] }],
            properties: {
              decision: text,
              policy: {
                type: 'object',
                anyOf: [{ required: ['name'] }, { required: ['uid'] }],
                properties: { uid: text, name: text, version: text },
              },
            },
          },
        },
      },
    },
    api: {
      type: 'object',
      required: ['operation'],
      properties: {
        operation: text,
        service: { type: 'object', anyOf: [{ required: ['name'] }, { required: ['uid'] }] },
        request: { type: 'object', required: ['uid'], properties: { uid: text } },
      },
    },
    src_endpoint: {
      type: 'object',
      anyOf: endpoint.map((name) => ({ required: [name] })),
      properties: { svc_name: text, uid: text },
    },
    resources: {
      type: 'array',
      items: {
        type: 'object',
        anyOf: [{ required: ['name'] }, { required: ['uid'] }],
        properties: { uid: text, type: text },
      },
    },
    unmapped: { type: 'object' },
  },
  // Attributes that the class or the profile does not have belong into `unmapped`.
  additionalProperties: false,
} as const;

const validate = new Ajv({ allErrors: true, strict: false }).compile(EVENT);

/** One line for each breach. */
export function ocsfProblems(event: Readonly<Record<string, unknown>>): readonly string[] {
  const problems = validate(event)
    ? []
    : (validate.errors ?? []).map((one) => `${one.instancePath} ${one.message ?? ''}`);
  if (event['type_uid'] !== 600_300 + Number(event['activity_id']))
    problems.push('/type_uid is not class_uid * 100 + activity_id');
  if (event['activity_id'] === 99 && event['activity_name'] === undefined) problems.push('/activity_name is missing');
  return problems;
}
