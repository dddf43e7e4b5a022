// Hints for front ends: what they show some rule permits, they are the same whatever walls there are, name no matter, and hide what they do
// not know.
import { createMongoAbility, subject as tagged, type MongoAbility, type RawRuleOf } from '@casl/ability';
import { unpackRules, type PackRule } from '@casl/ability/extra';
import fc from 'fast-check';
import t from 'tap';
import { abilitiesOf, type Ability } from '../../src/core/abilities.ts';
import { packHints } from '../../src/core/ability.ts';
import { decide } from '../../src/core/decide.ts';
import type { PolicySet } from '../../src/core/policy-set.ts';
import type { DecisionRequest } from '../../src/model/decision.ts';
import { starterPolicies, withWalls } from '../helpers/policies.ts';
import { runs } from '../helpers/runs.ts';
import { STARTER_CASES, starterRequests } from '../helpers/starter-requests.ts';

type Json = Readonly<Record<string, unknown>>;
const set = starterPolicies();
const NOW = Date.parse('2026-03-10T14:00:00Z');
const PEOPLE = [...set.data.directory.keys()];
const MFA = { amr: ['pwd', 'mfa'], auth_time: '2026-03-10T13:55:00Z' };

const attributesOf = (person: string): Json => ({ ...set.data.directory.get(person), ...MFA });
const hintsOf = (person: string, context: Json = {}, of: PolicySet = set, sourceSystem = 'dms'): readonly Ability[] =>
  abilitiesOf(of, {
    subject: { id: person, attributes: attributesOf(person) },
    actor: null,
    context,
    sourceSystem,
    now: NOW,
  });

/** What a front end does with the answer. */
function frontEnd(hints: readonly Ability[]): MongoAbility {
  const packed = packHints(hints.map((one) => ({ ...one, actions: [one.action] })));
  const wire = JSON.parse(JSON.stringify(packed)) as PackRule<RawRuleOf<MongoAbility>>[];
  return createMongoAbility(unpackRules(wire));
}

const shows = (ability: MongoAbility, action: string, type: string, attributes: Json = {}): boolean =>
  ability.can(action, tagged(type, { ...attributes }));

t.test('buttons for people of the example firm', async (t) => {
  const item = {
    matter_status: 'open',
    confidentiality: 'confidential',
    matter: { team: ['u-okafor', 'u-lind', 'u-park'] },
  };
  const own = { ...item, matter: { ...item.matter, responsible_attorney: 'u-okafor' } };
  const [partner, associate, paralegal, banks] = ['u-okafor', 'u-lind', 'u-park', 'u-banks'].map((one) =>
    frontEnd(hintsOf(one)),
  );
  if (!partner || !associate || !paralegal || !banks) throw new Error('somebody is missing');
  for (const ability of [partner, associate, paralegal]) {
    t.ok(shows(ability, 'read', 'document', item));
    t.ok(shows(ability, 'download', 'document', item));
    t.notOk(shows(ability, 'read', 'document', { ...item, matter_status: 'closed' }));
    t.notOk(shows(ability, 'edit_policy', 'policy'));
    t.notOk(shows(ability, 'shred', 'document', item), 'nobody has heard of it');
  }
  t.ok(shows(associate, 'share_external', 'document', item));
  t.notOk(shows(paralegal, 'share_external', 'document', item), 'lawyers share');
  t.ok(shows(partner, 'approve', 'invoice', { ...own, amount: 100_000 }));
  t.notOk(shows(partner, 'approve', 'invoice', { ...own, amount: 100_001 }), 'above the limit');
  t.notOk(shows(partner, 'approve', 'invoice', own), 'an amount that nobody stated');
  t.notOk(shows(associate, 'approve', 'invoice', { ...own, amount: 1 }));
  t.ok(shows(banks, 'edit', 'invoice'), 'billing staff, whatever the matter');
  t.notOk(shows(banks, 'read', 'document', item));
});

t.test('what is not known is hidden', async (t) => {
  for (const person of PEOPLE) {
    for (const { action, resourceType, conditions } of hintsOf(person)) {
      const fields = Object.keys(conditions);
      const ability = frontEnd([{ action, resourceType, conditions }]);
      const full = objectFor(conditions);
      if (!shows(ability, action, resourceType, full)) t.fail(`${person}: never shown: ${JSON.stringify(conditions)}`);
      for (const field of fields) {
        const lacking = objectFor(Object.fromEntries(Object.entries(conditions).filter(([name]) => name !== field)));
        const isShown = shows(ability, action, resourceType, lacking);
        const isNull = shows(ability, action, resourceType, {
          ...lacking,
          ...(field.includes('.') ? {} : { [field]: null }),
        });
        if (isShown || isNull) t.fail(`${person} ${action} ${resourceType}: shown without ${field}`);
      }
      t.notOk(fields.length === 0 && shows(ability, action, `${resourceType}s`), 'another type');
    }
  }
});

/** An object that fulfils the conditions. */
function objectFor(conditions: Ability['conditions']): Json {
  const made: Record<string, unknown> = {};
  for (const [field, { $eq, $in, $lt, $lte, $gt, $gte }] of Object.entries(conditions)) {
    const value = $eq ?? $in?.[0] ?? $lte ?? $gte ?? ($lt === undefined ? ($gt ?? 0) + 1 : $lt - 1);
    const [first = '', second] = field.split('.');
    made[first] = second === undefined ? value : { ...Object(made[first]), [second]: value };
  }
  return made;
}

t.test('no rule forbids, names a matter, or names somebody else', async (t) => {
  const ids = [...set.data.matters.keys()];
  for (const person of PEOPLE) {
    const hints = hintsOf(person, { network_zone: 'office' });
    const text = JSON.stringify(packHints(hints.map((one) => ({ ...one, actions: [one.action] }))));
    for (const id of ids) if (text.includes(`"${id}"`)) t.fail(`${person} is told of ${id}`);
    for (const other of PEOPLE) {
      if (other !== person && text.includes(`"${other}"`) && !JSON.stringify(attributesOf(person)).includes(other))
        t.fail(`${person} is told of ${other}`);
    }
    const { rules } = frontEnd(hints);
    t.notOk(rules.some(({ inverted }) => inverted === true));
  }
});

t.test('walls and lockdown change nothing', async () => {
  const matter = fc.constantFrom(...set.data.matters.keys());
  const people = fc.uniqueArray(fc.constantFrom(...PEOPLE), { minLength: 1, maxLength: 5 });
  const walls = fc.uniqueArray(
    fc.record({ matter_id: matter, excluded_people: people }).map((one) => ({
      ...one,
      id: `W-${one.matter_id}-RANDOM`,
      kind: 'exclusion' as const,
      valid_from: '2026-01-01T00:00:00Z',
    })),
    { minLength: 1, maxLength: 4, selector: ({ id }) => id },
  );
  fc.assert(
    fc.property(walls, (more) => {
      const person = more[0]?.excluded_people[0] ?? '';
      const [without, within] = [set, withWalls(set, more)].map((one) => JSON.stringify(hintsOf(person, {}, one)));
      return without === within;
    }),
    runs(40),
  );
});

/** As a front end that knows the matter's facts would hold it. */
function itemOf({ resource }: DecisionRequest): Json {
  const { type, id, properties } = resource;
  const matterId = type === 'matter' ? id : properties['matter_id'];
  const file = typeof matterId === 'string' ? set.data.matters.get(matterId) : undefined;
  if (file === undefined) return { ...properties, id };
  const { clientId, practiceGroup, responsible, proposing, team } = file;
  const facts = {
    client_id: clientId,
    practice_group: practiceGroup,
    responsible_attorney: responsible,
    proposing_partner: proposing,
    team,
    registered: true,
  };
  return {
    ...properties,
    id,
    matter: Object.fromEntries(Object.entries(facts).filter(([, one]) => typeof one !== 'symbol')),
  };
}

function shownTo(request: DecisionRequest): boolean {
  const { action, resource } = request;
  const { type } = resource;
  if (!set.firm.names.actions.has(action) || !set.firm.names.resourceTypes.has(type)) return false;
  return shows(frontEnd(abilitiesOf(set, request)), action, type, itemOf(request));
}

t.test(
  'what is shown, some rule permits: only a deny, a wall or the matter of a grant can still refuse it',
  async (t) => {
    let shown = 0;
    fc.assert(
      fc.property(starterRequests(), (base) => {
        const request = { ...base, approvals: [] };
        if (!shownTo(request)) return true;
        shown += 1;
        const { results, onFile } = decide(set, request);
        const byGrant = [...set.data.grants.entries].some((one) => one['granted_to'] === request.subject.id);
        const isPermitted = results.some(({ effect, truth }) => effect === 'allow' && truth === 'true');
        return isPermitted || byGrant || onFile.some((path) => path.startsWith('resource.'));
      }),
      runs(300),
    );
    t.ok(shown > 20, `${shown} were shown`);
  },
);

t.test('most of what is permitted is shown', async (t) => {
  const permitted = STARTER_CASES.filter((request) => decide(set, request).outcome === 'allow');
  const shown = permitted.filter(shownTo);
  t.ok(shown.length / permitted.length > 0.7, `${shown.length} of ${permitted.length}`);
  t.comment(`${shown.length} of ${permitted.length} permitted cases of the starter policies are shown`);
});
