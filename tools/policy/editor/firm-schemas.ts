// The schemas of policy files, narrowed to the words of one firm: what an editor offers and underlines. It must never refuse what the firm's
// files may say; words that a file declares itself, and ids of other systems, are only offered.
import { FILE_SCHEMAS } from '../../../src/core/file-kind.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { WALL_RULES } from '../../../src/core/walls.ts';
import { CALLER_FACTS, firmWords, type FirmWords } from './firm-words.ts';
import { conditionSchemas } from './condition-schema.ts';
import { attributeMap, attributes } from './data-schema.ts';
import { isSchema, mapOf, withParts, words, type Json, type Schema } from './json-schema.ts';

type Parts = readonly (readonly [place: string, part: Schema])[];
export type SchemaKind = keyof typeof FILE_SCHEMAS;

/** By kind of file, as `schemas/` has them. */
export function firmSchemas(set: PolicySet): ReadonlyMap<SchemaKind, Schema> {
  const its = firmWords(set);
  const conditions = (isOpen: boolean) => conditionSchemas({ ...its, dictionary: set.firm.dictionary, isOpen });
  const [closed, open] = [conditions(false), conditions(true)];
  const parts: Readonly<Partial<Record<SchemaKind, Parts>>> = {
    firm: firmParts(its, open.condition),
    rules: [
      ...header('/rules/*', its, closed.condition),
      ...header('/rules/*/cases/*', its, closed.condition),
      ['/rules/*/owner', words(its.owners, true)],
      ['/rules/*/advice/*', words(its.advice)],
      ['/rules/*/obligations/*', words(its.obligations)],
    ],
    invariants: [
      ...header('/invariants/*/never', its, closed.condition),
      ...header('/invariants/*/allowed', its, closed.condition),
      ['/invariants/*/requires', closed.condition],
      ['/invariants/*/owner', words(its.owners, true)],
    ],
    walls: wallParts(its),
    data: dataParts(set, its),
    tests: testParts(set, its),
    issuers: [
      ['/issuers/*/may_assert/roles/*', words(its.roles)],
      [
        '/issuers/*/claims',
        {
          type: 'object',
          propertyNames: words([...['id', 'client', 'token_id', 'act'], ...its.subject]),
          additionalProperties: claimOf(),
        },
      ],
    ],
    callers: [
      ['/callers/*/issuer', words(its.issuers)],
      ['/callers/*/source_system', words(its.sourceSystems)],
      ['/callers/*/subject_tokens/issuers/*', words(its.issuers)],
      ['/callers/*/vouch/attributes/*', words(its.subject.filter((name) => !CALLER_FACTS.has(name)))],
      ['/callers/*/ai_assistant', words(its.aiAssistants)],
    ],
    lockdown: [
      ['/people/*', lockedOf(its.people)],
      ['/matters/*', lockedOf(its.matters)],
      ['/clients/*', lockedOf(its.clients)],
      ['/callers/*', lockedOf(its.callers)],
    ],
    retention: [
      ['/approvers/*', words(its.roles)],
      ['/classes/*/practice_groups/*', words(its.practiceGroups, true)],
    ],
    routes: [
      ['/routes/*/caller', words(its.callers)],
      ['/routes/*/paths/*/resource', words(its.resources)],
      ['/routes/*/paths/*/actions/*', words(its.actions)],
    ],
  };
  return new Map(
    Object.entries(FILE_SCHEMAS).map(([kind, schema]): [SchemaKind, Schema] => {
      const plain: unknown = JSON.parse(JSON.stringify(schema));
      const narrowed = withParts(plain as Schema, new Map(parts[kind as SchemaKind] ?? []));
      const definitions =
        kind === 'firm' ? open.definitions : kind === 'rules' || kind === 'invariants' ? closed.definitions : null;
      const name = typeof narrowed['title'] === 'string' ? narrowed['title'] : 'Privity policies';
      const title = `${name}, with the words of ${set.firm.name ?? 'this firm'}`;
      const whole: Schema = { $schema: 'http://json-schema.org/draft-07/schema#', ...narrowed, title };
      return [kind as SchemaKind, definitions === null ? whole : { ...whole, definitions }];
    }),
  );
}

function header(place: string, its: FirmWords, condition: Schema): Parts {
  const [actions, resources] = [words(its.actionsOrGroups), words(its.resourcesOrGroups)];
  return [
    [`${place}/subjects/*`, words(its.terms)],
    [`${place}/roles/*`, words(its.rolesOrGroups)],
    [`${place}/actions/*`, actions],
    [`${place}/actions/except/*`, actions],
    [`${place}/resources/*`, resources],
    [`${place}/resources/except/*`, resources],
    [`${place}/when`, condition],
    [`${place}/unless`, condition],
  ];
}

/** firm.yaml declares the words: those of today are offered, new ones may stand beside them. */
function firmParts(its: FirmWords, condition: Schema): Parts {
  const offered = (names: readonly string[]): Schema => words(names, true);
  const required = ['subject', 'resource', 'context'].flatMap((namespace): Parts => {
    const place = `/attributes/${namespace}/*/required_for/*`;
    return [
      [`${place}/resources/*`, offered(its.resourcesOrGroups)],
      [`${place}/actions/*`, offered(its.actionsOrGroups)],
      [`${place}/actions/except/*`, offered(its.actionsOrGroups)],
    ];
  });
  return [
    ...required,
    ['/groups/roles/*/*', offered(its.rolesOrGroups)],
    ['/groups/resources/*/*', offered(its.resourcesOrGroups)],
    ['/groups/actions/*/*', offered(its.actionsOrGroups)],
    ['/terms/*', condition],
    ['/approvals/approver/*', offered(its.terms)],
    ['/walls/conflict_checkers/*', offered(its.rolesOrGroups)],
    ['/walls/memo_advice/*', offered(its.advice)],
  ];
}

function wallParts(its: FirmWords): Parts {
  const [people, matters] = [idOf(its.people), idOf(its.matters)];
  const lists = ['excluded_people', 'included_people', 'acknowledged_by', 'released_assistants', 'sides/*/people'];
  return [
    ...lists.map((list) => [`/walls/*/${list}/*`, people] as const),
    ['/walls/*/matter_id', matters],
    ['/walls/*/sides/*/matters/*', matters],
    ['/walls/*/client_id', idOf(its.clients)],
    ['/walls/*/reason', words(its.reasons, true)],
  ];
}

function dataParts({ firm: { dictionary } }: PolicySet, its: FirmWords): Parts {
  const people = idOf(its.people);
  const subject = attributeMap('subject', dictionary, its.titles);
  const resource = attributeMap('resource', dictionary, its.titles);
  const ofMatter = attributeMap('resource', dictionary, its.titles, ['matter_id', 'client_id']);
  const consents = Object.fromEntries(
    [...its.consents].map(([name, description]) => [name, { type: 'array', items: idOf(its.clients), description }]),
  );
  return [
    ['/matters/*/responsible_attorney', people],
    ['/matters/*/proposing_partner', people],
    ['/matters/*/team/*', people],
    ['/matters/*/practice_group', words(its.practiceGroups, true)],
    ['/matters/*/properties', attributes(ofMatter)],
    ['/grants/*/granted_to', people],
    ['/grants/*/approved_by', people],
    ['/grants/*/matter_id', idOf(its.matters)],
    ['/grants/*/actions/*', words(its.actions)],
    ['/people/*', { ...attributes(subject, { id: idOf([]), directory: attributes(subject) }), required: ['id'] }],
    ['/assistants/*/*', people],
    ['/consents', mapOf(consents)],
    ['/services/*/source_systems/*', words(its.sourceSystems)],
    ['/services/*/allowed/*/resource_type', words(its.resources)],
    ['/services/*/allowed/*/actions/*', words(its.actions)],
    ['/resources/*/type', words(its.resources)],
    ['/resources/*/properties', attributes(resource)],
  ];
}

/** Tests may state what is wrong on purpose: everything is offered, nothing refused. */
function testParts({ firm: { dictionary }, rules }: PolicySet, its: FirmWords): Parts {
  const open = (namespace: 'subject' | 'resource' | 'context', more: Readonly<Record<string, Schema>>): Schema => {
    const found = dictionary.declared.filter((one) => one.namespace === namespace);
    const members = found.map(({ name, path, type }): [string, Schema] => {
      const description = its.titles.get(path) ?? path;
      const any: Json = {};
      return [name, type.kind === 'enum' ? { anyOf: [{ enum: [...type.values] }, any], description } : { description }];
    });
    return { type: 'object', properties: { ...Object.fromEntries(members), ...more } };
  };
  const decided = [...rules.map(({ id }) => id), ...WALL_RULES, 'default-deny', 'attribute-missing', 'lockdown'];
  return [
    [
      '/tests/*/claims',
      open('subject', {
        sub: idOf(its.people),
        roles: { anyOf: [{ type: 'array', items: words(its.roles, true, {}) }, {}] },
      }),
    ],
    ['/tests/*/action', words(its.actions, true)],
    ['/tests/*/resource/type', words(its.resources, true)],
    ['/tests/*/resource/properties', open('resource', {})],
    ['/tests/*/context', open('context', { source_system: { anyOf: [words(its.sourceSystems), {}] } })],
    ['/tests/*/decided_by/*', words(decided, true)],
    ['/tests/*/advice/*', words(its.advice, true)],
    ['/tests/*/obligations/*', words(its.obligations, true)],
  ];
}

const ID: Schema = { type: 'string', minLength: 1, maxLength: 256 };

/** Ids are those of other systems: known ones are offered. */
function idOf(known: readonly string[]): Schema {
  return known.length === 0 ? ID : words(known, true, ID);
}

function lockedOf(known: readonly string[]): Schema {
  return { anyOf: [idOf(known), mapEntry(idOf(known))] };
}

function mapEntry(id: Schema): Schema {
  return { ...mapOf({ id, reason: { type: 'string' } }), required: ['id'] };
}

/** As the generic schema has it, for any claim. */
function claimOf(): Schema {
  const plain: Json = JSON.parse(JSON.stringify(FILE_SCHEMAS.issuers.properties.issuers.items.properties.claims));
  const patterns = isSchema(plain) ? plain['patternProperties'] : undefined;
  const [first] = isSchema(patterns) ? Object.values(patterns) : [];
  return isSchema(first) ? first : {};
}
