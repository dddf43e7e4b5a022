import fc from 'fast-check';
import t from 'tap';
import * as Type from 'typebox';
import { Check } from 'typebox/value';
import { FILE_SCHEMAS } from '../../src/core/file-kind.ts';
import { explain } from '../../src/core/schema-explain.ts';

function said(schema: Type.TSchema, value: unknown): string[] {
  const list: string[] = [];
  explain(schema, value, [], (path, code, message, hint) => {
    list.push(`${path.join('/')} ${code}: ${message}${hint === undefined ? '' : ` — ${hint}`}`);
  });
  return list;
}

t.test('one sentence per mistake in firm.yaml', async (t) => {
  const firm = {
    version: 1,
    roles: { 'Senior Partner': 'x', partner: 3 },
    actions: [],
    resource_typs: {},
    source_systems: ['dms', 'dms'],
    attributes: { resource: { state: { type: 'strin' }, tags: { type: 'list', items: { field: {} } }, empty: null } },
    calendars: { office: { days: 'mon', from: '7:00', until: '20:00', timezone: 'UTC' } },
    advice: { mfa: { max_age: -1 }, vpn: { max_age: 1.5 } },
  };
  t.strictSame(said(FILE_SCHEMAS.firm, firm), [
    'roles/Senior Partner bad-name: `Senior Partner` cannot be a name in `roles` — allowed: lower-case letters, digits, - _ .',
    'roles/partner wrong-type: `partner` must be text, found `3` — put it in quotes',
    'actions wrong-type: `actions` must be a map, found a list',
    'resource_typs unknown-member: unknown member `resource_typs` in the file — did you mean `resource_types`?',
    'source_systems/1 duplicate-entry: `dms` stands twice in `source_systems`',
    'attributes/resource/state/type not-one-of: `type` must be one of `boolean`, `number`, `string`, `person`, `timestamp`, `duration`, `enum`, `list` or `object`, found the text `strin` — did you mean `string`?',
    'attributes/resource/tags/items/field unknown-member: unknown member `field` in `items` — did you mean `fields`?',
    'attributes/resource/empty wrong-type: `empty` must be a map with `type`, found nothing — give it a value, or remove the line',
    'calendars/office/days wrong-type: `days` must be a list, found the text `mon` — write it in brackets: [mon]',
    'calendars/office/from wrong-form: `from` has the wrong form: `7:00` — it must be a time of day such as 07:00, in quotes',
    'advice/mfa/max_age out-of-range: `max_age` must be 0 or more, found `-1`',
    'advice/vpn/max_age wrong-type: `max_age` must be a whole number, found `1.5`',
  ]);
});

t.test('alternatives make one sentence, or the problems of the one that was meant', async (t) => {
  const rule = (members: object) => ({ version: 1, rules: [{ id: 'a', effect: 'deny', ...members }] });
  t.strictSame(said(FILE_SCHEMAS.rules, rule({ effect: 'permit' })), [
    'rules/0/effect not-one-of: `effect` must be one of `allow` or `deny`, found the text `permit`',
  ]);
  t.strictSame(said(FILE_SCHEMAS.rules, rule({ actions: 'all' })), [
    'rules/0/actions wrong-type: `actions` must be `any`, a list or a map with `except`, found the text `all`',
  ]);
  t.strictSame(said(FILE_SCHEMAS.rules, rule({ actions: { except: [] } })), [
    'rules/0/actions/except too-few: `except` must not be empty',
  ]);
  t.strictSame(said(FILE_SCHEMAS.rules, rule({ actions: ['Read'] })), [
    'rules/0/actions/0 wrong-form: entry 1 of `actions` has the wrong form: `Read` — it must be lower-case letters, digits, - _ .',
  ]);
  t.strictSame(said(FILE_SCHEMAS.lockdown, { version: 1, people: [{ idd: 'u-1' }, 7, ''] }), [
    'people/0/idd unknown-member: unknown member `idd` in entry 1 of `people` — did you mean `id`?',
    'people/1 wrong-type: entry 2 of `people` must be text or a map with `id`, found `7`',
    'people/2 empty-text: entry 3 of `people` must not be empty',
  ]);
  const issuer = { issuer: 'x', keys: {}, algorithms: ['none'], audience: 'a', typ: 'jwt', claims: {} };
  const problems = said(FILE_SCHEMAS.issuers, { version: 1, issuers: [issuer] });
  t.match(problems[0], /`keys` must be a map with `url` or a map with `file`, found a map/);
  t.match(problems[2], /`typ` must be one of .* — did you mean `JWT`\?/);
  t.match(problems[3], /entry 1 of `issuers` lacks `may_assert`/);
});

t.test('every schema: something is said exactly when the value does not fit', async (t) => {
  const scalar = fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.string(),
    fc.constantFrom('any', 'u-1', 'allow'),
  );
  for (const schema of Object.values(FILE_SCHEMAS)) {
    const members = fc.constantFrom(
      ...Object.keys(schema.properties),
      'id',
      'effect',
      'except',
      'actions',
      'reason',
      '__proto__',
      'x',
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'medium' },
        scalar,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(members, tie('value'), { maxKeys: 6 }),
      ),
    }));
    const property = fc.property(value, (sample) => said(schema, sample).length > 0 === !Check(schema, sample));
    t.doesNotThrow(() => fc.assert(property));
  }
});
