// JUnit XML: what fails, what was accepted, what could not be read; well formed whatever the files say.
import fc from 'fast-check';
import t from 'tap';
import { junitText } from '../../../src/cli/outcomes/junit.ts';
import { HOSTILE, item, outcome, saying } from '../../helpers/outcomes.ts';
import { runs } from '../../helpers/runs.ts';

/** Opening and closing tags in order, attributes decoded. @throws where it is not well formed */
function tagsOf(xml: string): { name: string; attributes: Record<string, string>; text: string }[] {
  const body = xml.replace('<?xml version="1.0" encoding="UTF-8"?>', '');
  // XML 1.0, section 2.2.
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(body))
    throw new Error('a character XML does not have');
  const tags: { name: string; attributes: Record<string, string>; text: string }[] = [];
  const open: string[] = [];
  const rest = body.replaceAll(
    /<(\/?)([a-z-]+)((?: [a-z]+="[^"<]*")*)(\/?)>([^<]*)/g,
    (_all, close: string, name: string, attributes: string, empty: string, text: string) => {
      if (close === '/') {
        if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
      } else {
        if (empty === '') open.push(name);
        const pairs = [...attributes.matchAll(/ ([a-z]+)="([^"]*)"/g)];
        tags.push({
          name,
          attributes: Object.fromEntries(pairs.map(([, key = '', value = '']) => [key, decoded(value)])),
          text: decoded(text).trim(),
        });
      }
      return '';
    },
  );
  if (rest.trim() !== '' || open.length > 0) throw new Error(`left over: ${rest} ${open.join(' ')}`);
  return tags;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

function decoded(text: string): string {
  if (/&(?!(amp|lt|gt|quot|#\d+);)/.test(text)) throw new Error(`a bare & in ${text}`);
  return text.replaceAll(/&(?:#(\d+)|([a-z]+));/g, (_all, code: string | undefined, name: string) =>
    code === undefined ? (ENTITIES[name] ?? '') : String.fromCharCode(Number(code)),
  );
}

t.test('failures, errors, skipped and accepted', async (t) => {
  const text = junitText(
    outcome([
      item(),
      item({ name: 'unreadable', status: 'unreadable', level: 'error', message: 'not YAML', details: [], hint: null }),
      item({ name: 'skipped', status: 'skipped', message: 'not asked', file: 'policies/firm.yaml' }),
      item({ name: 'passed', status: 'passed', file: 'policies/firm.yaml', line: null, column: null }),
      item({ name: 'accepted', accepted: 'It is meant.' }),
      item({ name: 'note', level: 'note', file: null, line: null, column: null }),
    ]),
  );
  t.equal(
    text,
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="privity policy check" tests="6" failures="1" errors="1">
  <testsuite name="policies/rules/copies.yaml" tests="3" failures="1" errors="1" skipped="0">
    <testcase classname="policies/rules/copies.yaml" name="no-owner copies (policies/rules/copies.yaml:12:5)" file="policies/rules/copies.yaml" line="12">
      <failure message="copies: the rule has no owner">Nobody can say whether it is still right.
write \`owner:\`</failure>
    </testcase>
    <testcase classname="policies/rules/copies.yaml" name="unreadable" file="policies/rules/copies.yaml" line="12">
      <error message="not YAML"></error>
    </testcase>
    <testcase classname="policies/rules/copies.yaml" name="accepted" file="policies/rules/copies.yaml" line="12">
      <system-out>policies/rules/copies.yaml:12:5: copies: the rule has no owner
accepted: It is meant.</system-out>
    </testcase>
  </testsuite>
  <testsuite name="policies/firm.yaml" tests="2" failures="0" errors="0" skipped="1">
    <testcase classname="policies/firm.yaml" name="skipped" file="policies/firm.yaml" line="12">
      <skipped message="not asked"/>
    </testcase>
    <testcase classname="policies/firm.yaml" name="passed" file="policies/firm.yaml"/>
  </testsuite>
  <testsuite name="policies" tests="1" failures="0" errors="0" skipped="0">
    <testcase classname="policies" name="note">
      <system-out>note: copies: the rule has no owner
Nobody can say whether it is still right.
write \`owner:\`</system-out>
    </testcase>
  </testsuite>
</testsuites>`,
  );
  t.equal(tagsOf(text).filter(({ name }) => name === 'testcase').length, 6, 'the reader of this test reads it');
});

t.test('what fails a run is what the run says', async (t) => {
  const items = [item({ level: 'error' }), item(), item({ level: 'note' })];
  const failures = (failsOn: 'error' | 'warning' | 'note') =>
    tagsOf(junitText(outcome(items, { failsOn })))[0]?.attributes['failures'];
  t.strictSame([failures('error'), failures('warning'), failures('note')], ['1', '2', '3']);
});

t.test('no text of a file is markup', async (t) => {
  const shown = (text: string) =>
    text.toWellFormed().replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
  const holds = (text: string): void => {
    const tags = tagsOf(junitText(outcome([saying(text)])));
    t.strictSame(
      tags.map(({ name }) => name),
      ['testsuites', 'testsuite', 'testcase', 'failure'],
    );
    t.equal(tags[2]?.attributes['name'], shown(text));
    t.equal(tags[3]?.attributes['message'], shown(text));
  };
  for (const text of HOSTILE) holds(text);
  fc.assert(fc.property(fc.string({ unit: 'binary' }), holds), runs(50));
});
