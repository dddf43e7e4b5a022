// The document service as somebody tries it: one command, what three people see, and nothing left behind.
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import t from 'tap';
import { REPOSITORY } from '../cli/privity.ts';
import { collect, spawnPlain } from '../helpers/processes.ts';

t.setTimeout(300_000);

const leftovers = (): readonly string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith('privity-documents-'));

t.test('npm run demo:documents', async (t) => {
  const before = leftovers();
  const { code, output } = await collect(spawnPlain('npm', ['run', 'demo:documents'], { cwd: REPOSITORY }));
  t.equal(code, 0, output);
  /** What stands below a heading. */
  const part = (title: string): string => output.split('\n\n').find((one) => one.startsWith(title)) ?? '';

  const stale = part('u-okafor, partner');
  t.match(stale, /list {6}D-1 Complaint, D-2 Witness list, D-3 Advice, D-4 Patent draft, D-5 Research note\n/);
  t.match(stale, /read D-1 {2}200\n/);
  t.match(stale, /file D-3 {2}401 Bearer error="insufficient_user_authentication", .*acr_values="mfa", max_age="1800"/);
  t.match(part('u-okafor, having'), /file D-3 {2}200/);
  t.match(part('u-park'), /list {6}D-1 Complaint, D-2 Witness list, D-3 Advice, D-5 Research note\n/, 'not the patent');

  const walled = part('u-voss');
  t.match(walled, /list {6}D-5 Research note\n/, 'know-how of the practice group, nothing of the matter');
  t.match(walled, /read D-1 {2}403\n/);
  t.match(walled, /file D-3 {2}403/);

  const stranger = part('somebody without');
  t.match(stranger, /list {6}nothing\n/);
  t.match(stranger, /read D-1 {2}401 Bearer\n/);
  t.notMatch(output, /D-6|Term sheet/, 'nobody here is on that matter');
  t.strictSame(leftovers(), before, 'its folder is gone');
});
