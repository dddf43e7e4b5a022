// `privity audit review`, as reviewers use it: what is open, what was found, what is refused.
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { document, OFFICE, startApp } from '../helpers/app.ts';
import { privity, type Ended } from './privity.ts';

type Json = Readonly<Record<string, unknown>>;

const rig = await startApp(t);
const url = await rig.app.http.listen({ host: '127.0.0.1', port: 0 });

const review = (person: string, ...words: string[]): Promise<Ended> =>
  privity(['audit', 'review', ...words], {
    env: { PRIVITY_URL: url, PRIVITY_TOKEN: rig.personToken(person, { azp: 'privity-log-review' }) },
  });

async function breakGlass(id: string): Promise<string> {
  const { body } = await rig.ask('u-quinn', {
    action: { name: 'read' },
    resource: document(id),
    context: { ...OFFICE, break_glass_reason: 'Hearing at nine, the team is not to be reached' },
  });
  await sleep(2);
  return String(body.context?.['evaluation_id']);
}

t.test('lists, records, lists what became of it', async (t) => {
  const [first, second] = [await breakGlass('D-1'), await breakGlass('D-\u001b[31m2')];
  const open = await review('u-secord');
  t.equal(open.code, 0, open.err);
  t.match(open.out, new RegExp(`open +${second} .* u-quinn +read +document D-\\\\u001b\\[31m2 +M-1001`));
  t.match(open.err, '2 accesses, 0 overdue');
  const given = await review('u-secord', first, '--outcome', 'justified', '--reason', 'The hearing was moved up.');
  t.match(given, { code: 0, out: /^recorded: justified, as [0-9a-f-]{36}\n$/ });
  const done = await review('u-secord', '--state', 'done', '--json');
  const { reviews, more } = JSON.parse(done.out) as { reviews: Json[]; more: boolean };
  t.match(reviews, [{ evaluation_id: first, reviews: [{ by: 'u-secord', reason: 'The hearing was moved up.' }] }]);
  t.equal(more, false);
  t.match((await review('u-audley')).out, 'justified by u-secord');
  t.match(await review('u-audley', '--limit', '1'), { code: 0, err: /1 access, 0 overdue; there are more/ });
});

t.test('what is refused, and what is nothing', async (t) => {
  const id = await breakGlass('D-3');
  const finding = ['--outcome', 'justified', '--reason', 'It was certainly needed.'];
  t.match(await review('u-audley', id, ...finding), { code: 2, err: /Ask somebody else to review it/ });
  t.match(await review('u-rowe', id, ...finding), { code: 1, err: /nothing is here for you/ });
  t.match(await review('u-rowe'), { code: 1, err: /nothing is here for you/ });
  t.match(await review('u-secord', id), { code: 2, err: /what did you find/ });
  t.match(await review('u-secord', ...finding), { code: 2, err: /which access was reviewed/ });
  t.match(await review('u-secord', id, ...finding, '--state', 'open'), { code: 2, err: /are for the list/ });
  t.match(await review('u-secord', '--limit', '0'), { code: 2, err: /is no number from 1/ });
  t.match(await review('u-secord', id, '--outcome', 'justified', '--reason', 'short'), {
    code: 2,
    err: /10 to 2,000 characters/,
  });
});
