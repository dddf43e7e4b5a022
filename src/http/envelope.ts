// Checks what the schema of an envelope cannot: identifiers by their bytes, and members of the context that only Privity may set.
// It must never judge the value of an attribute: that is for policy, and leaves a record.
import type { AttributeType } from '../core/attribute-types.ts';
import type { Attribute } from '../core/dictionary.ts';
import type { PolicySet } from '../core/policy-set.ts';
import { isUuid } from '../core/record/uuid.ts';
import { malformed } from './body.ts';
import { joinPointer } from './pointer.ts';

export const MAX_ID_BYTES = 256;
/** Of a second person, for one question (DESIGN 5.2). */
const MAX_APPROVALS = 10;
const NONE: readonly string[] = [];

type Values = Readonly<Record<string, unknown>>;
type Check = (value: unknown, pointer: string) => void;

interface WireQuestion {
  readonly action: { readonly name: string };
  readonly resource: { readonly type: string; readonly id: string; readonly properties?: Values };
  readonly context?: Values;
}

interface EnvelopeRules {
  readonly properties: ReadonlyMap<string, Check>;
  readonly context: ReadonlyMap<string, Check>;
}

const compiled = new WeakMap<PolicySet, EnvelopeRules>();

/** @throws PrivityError `malformed_request`; `at` is the pointer to the question. */
export function checkQuestion(set: PolicySet, { action, resource, context }: WireQuestion, at: string): void {
  checkId(action.name, `${at}/action/name`);
  checkId(resource.type, `${at}/resource/type`);
  checkId(resource.id, `${at}/resource/id`);
  const { properties } = resource;
  if (properties !== undefined) checkMembers(properties, rulesOf(set).properties, `${at}/resource/properties`);
  if (context !== undefined) checkContext(set, context, `${at}/context`);
}

export function checkContext(set: PolicySet, context: Values, at: string): void {
  checkMembers(context, rulesOf(set).context, at);
  checkApprovalIds(context, at);
}

/** Approvals that the requester wants to use; what they prove is looked up, never believed. Of a checked context. */
export function approvalIdsOf(context: Values): readonly string[] {
  const ids = context['approval_ids'];
  return Array.isArray(ids) ? ids : NONE;
}

function checkApprovalIds(context: Values, at: string): void {
  const ids = context['approval_ids'] ?? NONE;
  const pointer = `${at}/approval_ids`;
  if (!Array.isArray(ids) || ids.length > MAX_APPROVALS)
    throw malformed(`must be a list of at most ${MAX_APPROVALS} ids`, pointer);
  ids.forEach((id, index) => {
    if (typeof id !== 'string' || !isUuid(id)) throw malformed('must be the id of an approval', `${pointer}/${index}`);
  });
}

function checkMembers(values: Values, rules: ReadonlyMap<string, Check>, at: string): void {
  for (const name of Object.keys(values)) rules.get(name)?.(values[name], at + joinPointer(name));
}

function rulesOf(set: PolicySet): EnvelopeRules {
  const known = compiled.get(set);
  if (known !== undefined) return known;
  const { attributes } = set.firm.dictionary;
  const rules = {
    properties: checksFor(
      attributes.filter(({ namespace, source }) => namespace === 'resource' && source === 'request'),
    ),
    context: checksFor(attributes.filter(({ namespace }) => namespace === 'context')),
  };
  compiled.set(set, rules);
  return rules;
}

function checksFor(attributes: readonly Attribute[]): ReadonlyMap<string, Check> {
  const checks = new Map<string, Check>();
  for (const { name, type, source } of attributes) {
    const check = source === 'request' ? idCheck(name, type) : refuse;
    if (check !== undefined) checks.set(name, check);
  }
  return checks;
}

/** The calling system and proven approvals come from the registration and the log, never from a body (DESIGN 4). */
const refuse: Check = (_value, pointer) => {
  throw malformed('this attribute is not the caller’s to send', pointer);
};

/** People, and text whose name says that it is an identifier; also in lists and in fields of objects. */
function idCheck(name: string, type: AttributeType): Check | undefined {
  switch (type.kind) {
    case 'person':
      return checkIfText;
    case 'string':
      return ID_NAME.test(name) ? checkIfText : undefined;
    case 'list': {
      const check = idCheck(name, type.items);
      if (check === undefined) return undefined;
      return (value, pointer) => {
        if (Array.isArray(value)) value.forEach((item, index) => check(item, `${pointer}/${index}`));
      };
    }
    case 'object': {
      const fields = new Map([...type.fields].flatMap(([field, inner]) => toEntry(field, idCheck(field, inner))));
      if (fields.size === 0) return undefined;
      return (value, pointer) => {
        if (isObject(value)) checkMembers(value, fields, pointer);
      };
    }
    default:
      return undefined;
  }
}

const ID_NAME = /(?:^|_)ids?$/;

function toEntry(name: string, check: Check | undefined): readonly (readonly [string, Check])[] {
  return check === undefined ? [] : [[name, check]];
}

const checkIfText: Check = (value, pointer) => {
  if (typeof value === 'string') checkId(value, pointer);
};

export function checkId(id: string, pointer: string): void {
  // A UTF-16 unit is at most three bytes of UTF-8.
  if (id.length * 3 > MAX_ID_BYTES && Buffer.byteLength(id) > MAX_ID_BYTES) {
    throw malformed(`longer than ${MAX_ID_BYTES} bytes`, pointer);
  }
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
