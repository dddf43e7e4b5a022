// How long payloads are kept: which class counts, what a hold keeps, where a period ends; and mistakes of whoever writes retention.yaml.
import fc from 'fast-check';
import t from 'tap';
import { createParts, createPurgeJudge, type Candidate } from '../../src/core/purge.ts';
import { createPurgedIndex, purgedPlaces } from '../../src/core/record/purged.ts';
import { classOf, cutoffOf, heldMattersOf, isHeld, type Payload, type Retention } from '../../src/core/retention.ts';
import type { PolicySet } from '../../src/core/policy-set.ts';
import { compiled, errorsIn, findingsIn, instant, sourceFile, starterFiles, type Files } from '../helpers/policies.ts';
import { runs } from '../helpers/runs.ts';

const BASE = { version: 1, keep: 'P2Y', approvers: ['general_counsel'] };
const CLASSES = [
  { id: 'refused', kinds: ['refused'], keep: 'P1Y' },
  { id: 'disputes', practice_groups: ['litigation'], keep: 'P10Y' },
  { id: 'european', properties: { data_region: 'EU' }, keep: 'P30M' },
  { id: 'reading', kinds: ['read'], practice_groups: ['litigation'], keep: 'P1Y' },
];
const MATTERS = {
  'data/more.yaml': {
    matters: [
      { id: 'M-EU', client_id: 'C-EU', practice_group: 'tax', properties: { data_region: 'EU' } },
      { id: 'M-HELD', client_id: 'C-EU', practice_group: 'tax', properties: { legal_hold: true } },
    ],
    resources: [{ type: 'document', id: 'D-HELD', properties: { legal_hold: true } }],
  },
};

function filesWith(retention: unknown, more: Files = MATTERS) {
  const others = starterFiles().filter(({ path }) => path !== 'retention.yaml' && !path.startsWith('tests/'));
  const own = Object.entries({ 'retention.yaml': retention, ...more }).map(([name, text]) => sourceFile(name, text));
  return [...others, ...own];
}

function setWith(retention: unknown): { readonly set: PolicySet; readonly retention: Retention } {
  const set = compiled(filesWith(retention));
  if (set.retention === null) throw new Error('no retention');
  return { set, retention: set.retention };
}

const { set, retention } = setWith({
  ...BASE,
  classes: CLASSES,
  holds: { matters: [{ id: 'M-1004', reason: 'recall' }], clients: ['C-200'] },
});
const payload = (changes: Partial<Payload> = {}): Payload => ({
  kind: 'decision',
  matter: null,
  client: null,
  resourceType: 'document',
  resourceId: 'D-1',
  ...changes,
});
const kept = (changes: Partial<Payload>): string => {
  const { id, keep } = classOf(retention, set.data, payload(changes));
  return `${id} ${keep.text}`;
};

t.test('a record is of the class that keeps it longest, and of no class by default', async (t) => {
  t.equal(kept({}), 'default P2Y');
  t.equal(kept({ kind: 'refused' }), 'refused P1Y');
  t.equal(kept({ matter: 'M-1001' }), 'disputes P10Y');
  t.equal(kept({ matter: 'M-1001', kind: 'read' }), 'disputes P10Y');
  t.equal(kept({ matter: 'M-2001' }), 'default P2Y');
  t.equal(kept({ matter: 'M-EU' }), 'european P30M');
  t.equal(kept({ matter: 'M-9999' }), 'matter not on file P10Y', 'nobody knows what it was');
});

t.test('a hold is listed, or on file about matter, client or the thing itself', async (t) => {
  const held = (changes: Partial<Payload>): boolean => isHeld(retention, set.data, payload(changes));
  t.notOk(held({}));
  t.notOk(held({ matter: 'M-1001', client: 'C-100' }));
  t.ok(held({ matter: 'M-1004' }));
  t.ok(held({ matter: 'M-HELD' }));
  t.ok(held({ matter: 'M-2001' }), 'through its client');
  t.ok(held({ client: 'C-200' }));
  t.ok(held({ resourceId: 'D-HELD' }));
  t.notOk(held({ resourceType: 'email', resourceId: 'D-HELD' }));
  t.strictSame(heldMattersOf(retention, set.data), ['M-1004', 'M-2001', 'M-HELD']);
});

t.test('a period ends on the same day of the calendar, or on the last of its month', async (t) => {
  const cutoff = (keep: string, asOf: string): string => {
    const { retention: own } = setWith({ ...BASE, keep });
    return new Date(cutoffOf(own.keep, instant(asOf))).toISOString();
  };
  t.equal(cutoff('P7Y', '2026-03-10T14:00:00Z'), '2019-03-10T14:00:00.000Z');
  t.equal(cutoff('P1Y', '2024-02-29T00:00:00Z'), '2023-02-28T00:00:00.000Z');
  t.equal(cutoff('P1M', '2026-03-31T12:00:00Z'), '2026-02-28T12:00:00.000Z');
  t.equal(cutoff('P1Y2M3D', '2026-03-10T00:00:00Z'), '2025-01-07T00:00:00.000Z');
});

t.test('a payload goes when its time is over, and never before, on hold, or of a kind that proofs need', async (t) => {
  const asOf = instant('2026-03-10T14:00:00Z');
  const at = instant('2024-03-10T14:00:00Z');
  const one: Candidate = { ...payload(), id: 'x', writer: 'w', seq: 1, at: at - 1, subject: 'u-lind' };
  const fate = (changes: Partial<Candidate>, subject: string | null = null, before = asOf): string =>
    createPurgeJudge(set, retention, { subject, asOf, before })({ ...one, ...changes }).fate;
  t.equal(fate({}), 'goes');
  t.equal(fate({ at }), 'kept', 'the last instant that is kept');
  t.equal(fate({ matter: 'M-1004' }), 'kept', 'its class keeps it longer');
  t.equal(fate({ matter: 'M-HELD' }), 'held');
  t.equal(fate({}, null, at - 1), 'kept');
  for (const kind of ['purge', 'policy_loaded', 'writer_opened', 'writer_closed']) t.equal(fate({ kind }), 'kept');
  t.equal(fate({ at: asOf - 1 }, 'u-lind'), 'goes', 'an erasure does not wait');
  t.equal(fate({ at: asOf - 1 }, 'u-mori'), 'kept');
  t.equal(fate({ at: asOf - 1, matter: 'M-1004' }, 'u-lind'), 'held');
});

t.test('parts name exactly the places of what goes', async (t) => {
  const places = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(60)), {
    selector: String,
    maxLength: 90,
  });
  fc.assert(
    fc.property(places, fc.integer({ min: 1, max: 40 }), (list, most) => {
      const parts = createParts(most);
      list.forEach(([writer, seq], index) =>
        parts.add({ ...payload(), id: String(index).padStart(3, '0'), writer, seq, at: 0, subject: null }),
      );
      const made = parts.finish();
      t.equal(
        made.reduce((sum, { records }) => sum + records, 0),
        list.length,
      );
      t.ok(made.every(({ records, ids }) => records <= most && ids.from <= ids.to));
      const ranges = made.flatMap((part) => purgedPlaces({ purged: part.purged }) ?? []);
      const index = createPurgedIndex(ranges);
      const gone = new Set(list.map(String));
      for (const writer of ['a', 'b', 'c']) {
        for (let seq = 0; seq <= 61; seq++) t.equal(index.has(writer, seq), gone.has(`${writer},${seq}`));
      }
    }),
    runs(15),
  );
});

t.test('mistakes are named at their place', async (t) => {
  const wrong = {
    version: 1,
    keep: 'forever',
    approvers: ['general_council'],
    classes: [
      { id: 'a', keep: 'P1Y' },
      { id: 'a', kinds: ['read'], keep: 'P0D' },
      { id: 'b', properties: { data_regions: 'EU', data_region: 'Mars' }, keep: 'P1Y' },
    ],
  };
  const errors = errorsIn(filesWith(wrong)).join('\n');
  t.match(errors, /`general_council` is no role .*did you mean `general_counsel`/);
  t.match(errors, /`forever` is no period/);
  t.match(errors, /a: the class speaks of every record/);
  t.match(errors, /there is already a class `a`/);
  t.match(errors, /`P0D` is no period/);
  t.match(errors, /`data_regions` is no resource attribute .*did you mean `data_region`/);
  t.match(errors, /`data_region` must be one value/);
  t.match(errorsIn(filesWith({ ...BASE, classes: [{ id: 'c', kinds: ['purge'], keep: 'P1Y' }] })).join(), /purge/);
  const findings = findingsIn(
    filesWith({
      ...BASE,
      classes: [{ id: 'c', practice_groups: ['space'], keep: 'P1Y' }],
      holds: { matters: ['M-1001', 'M-1O04'] },
    }),
  ).join('\n');
  t.match(findings, /no matter on file is of `space`/);
  t.match(findings, /the matter `M-1O04` is not on file/);
});

t.test('without the file everything is kept', async (t) => {
  t.equal(compiled(starterFiles().filter(({ path }) => path !== 'retention.yaml')).retention, null);
});
