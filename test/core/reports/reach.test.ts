// Whoever a decision lets in is among those who are said to be within reach, whatever the request says: the report may not miss anybody.
import fc from 'fast-check';
import t from 'tap';
import { decide } from '../../../src/core/decide.ts';
import {
  everybody,
  grantsOf,
  inWords,
  matterPairs,
  somebody,
  standingOf,
  turningPoints,
} from '../../../src/core/reports/reach.ts';
import { starterPolicies } from '../../helpers/policies.ts';
import { runs } from '../../helpers/runs.ts';
import { STARTER_CASES, starterRequests } from '../../helpers/starter-requests.ts';

const set = starterPolicies();
const pairs = matterPairs(set, {});
const NOW = Date.parse('2026-03-10T14:00:00Z');

/** A decision about a matter, of somebody of whom only the directory is believed. */
function misses(request: (typeof STARTER_CASES)[number]): string | null {
  const directory = set.data.directory.get(request.subject.id);
  const attributes = { ...request.subject.attributes, ...directory };
  const asked = { ...request, actor: null, subject: { id: request.subject.id, attributes } };
  const { outcome, matter } = decide(set, asked);
  if (outcome === 'deny' || matter === null) return null;
  const known = pairs
    .of(attributes['user_type'])
    .some(({ type, action }) => type === asked.resource.type && action === asked.action);
  if (!known) return null;
  const { can } = standingOf(set, somebody(set, request.subject.id), matter, asked.now).reach(pairs);
  const isFound = can.get(asked.resource.type)?.includes(asked.action) === true;
  return isFound ? null : `${request.subject.id} ${asked.action} ${asked.resource.type} of ${matter}`;
}

t.test('nobody is missed: every case of the policy tests', async (t) => {
  const allowed = STARTER_CASES.filter((one) => decide(set, one).outcome === 'allow');
  t.ok(allowed.length > 50);
  t.strictSame(
    STARTER_CASES.map(misses).filter((one) => one !== null),
    [],
  );
});

t.test('nobody is missed: requests made from them', async () => {
  fc.assert(
    fc.property(starterRequests(), (request) => {
      const missed = misses(request);
      if (missed !== null) throw new Error(missed);
    }),
    runs(1_500),
  );
});

t.test('walls and roles keep out', async (t) => {
  const of = (person: string, matter: string) => standingOf(set, somebody(set, person), matter, NOW);
  t.strictSame(of('u-voss', 'M-1001').walls, ['W-EX-1']);
  t.equal(of('u-voss', 'M-1001').reach(pairs).can.size, 0);
  t.strictSame(of('u-yamada', 'M-1001').walls, ['W-EX-1'], 'an assistant');
  t.match(inWords(of('u-lind', 'M-1001').reach(pairs)), /read.*document/);
  t.ok(of('u-lind', 'M-1001').reach(pairs).rules.includes('team-lawyers'));
  t.notOk(of('u-lind', 'M-2002').reach(pairs).rules.includes('team-lawyers'));
  t.notOk(of('u-audley', 'M-1001').reach(pairs).can.has('document'), 'auditors never read files');
  t.ok(
    somebody(set, 'u-nobody').isKnown === false && of('u-nobody', 'M-1001').reach(pairs).can.size > 0,
    'unknown is not false',
  );
});

t.test('grants and turning points', async (t) => {
  t.strictSame(grantsOf(set, 'u-quinn', 'M-1001', NOW), ['G-1']);
  t.strictSame(grantsOf(set, 'u-quinn', 'M-1001', Date.parse('2026-03-15T00:00:00Z')), []);
  const march = { from: Date.parse('2026-03-01T00:00:00Z'), to: Date.parse('2026-04-01T00:00:00Z') };
  t.ok(turningPoints(set, 'u-quinn', march).includes(Date.parse('2026-03-15T00:00:00Z')));
  t.ok(everybody(set).has('u-lind'));
});
