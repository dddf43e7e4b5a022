// What is noted with a reading, and who then may read that note.
import t from 'tap';
import { noteReading, placesNoted } from '../../../src/core/reading/reading-places.ts';
import { namedPlaces } from '../../../src/core/reading/walled.ts';
import { starterPolicies } from '../../helpers/policies.ts';

const set = starterPolicies();

t.test('places that a wall names, each once, in order; others leave no trace', async (t) => {
  const note = noteReading(set);
  for (const [matter, client] of [
    ['M-2001', 'C-200'],
    ['M-9999', 'C-9999'],
    [null, null],
    ['M-1002', null], // a wall is about its client
    [null, 'C-100'],
    ['M-2001', 'C-200'],
  ] as const) {
    note.add(matter, client);
  }
  const noted = [
    { client: 'C-100', matter: null },
    { client: null, matter: 'M-1002' },
    { client: 'C-200', matter: 'M-2001' },
  ];
  t.strictSame(note.members(), { behind_walls: noted });
  t.strictSame(placesNoted(set, { read: { rows: 3, ...note.members() } }), noted);
  t.strictSame(noteReading(set).members(), {});
  for (const record of [{}, { read: { rows: 1 } }, { read: null }, { read: 'x' }])
    t.strictSame(placesNoted(set, record), []);
});

t.test('too many to list stand for every place that a wall names', async (t) => {
  const walls = {
    ...set.walls,
    all: Array.from({ length: 1_500 }, (_, index) => ({ ...set.walls.all[0]!, matter: `M-${index}`, client: null })),
  };
  const crowded = { ...set, walls };
  const note = noteReading(crowded);
  for (let index = 0; index < 1_500; index++) note.add(`M-${index}`, null);
  t.strictSame(note.members(), { behind_walls: 'many' });
  const places = placesNoted(set, { read: note.members() });
  const { matters, clients } = namedPlaces(set);
  t.equal(places.length, matters.size + clients.size);
  t.ok(places.some(({ matter }) => matter === 'M-2001'));
});
