// The example of docs/filters.md, with the starter policies: its request gives its answer.
import { readFileSync } from 'node:fs';
import t from 'tap';
import { deriveFilter, type FilterQuestion } from '../../src/core/filter/filter.ts';
import { runAtOnce } from '../../src/io/policies/slices.ts';
import type { FilterRequest } from '../../src/model/filter.ts';
import { instant, starterPolicies } from '../helpers/policies.ts';

const TEXT = readFileSync(new URL('../../docs/filters.md', import.meta.url), 'utf8');

function jsonAfter(mark: string): unknown {
  return JSON.parse(/```json\n([\s\S]*?)\n```/.exec(TEXT.slice(TEXT.indexOf(mark)))?.[1] ?? 'null');
}

t.test('the example gives the answer that stands below it', async (t) => {
  const { action, resource, context = {}, target, columns = {} } = jsonAfter('<!-- example -->') as FilterRequest;
  const attributes = {
    roles: ['partner'],
    user_type: 'internal',
    employee_status: 'active',
    contract_type: 'permanent',
    amr: ['pwd', 'mfa'],
    training_until: '2026-12-31T00:00:00Z',
  };
  const question: FilterQuestion = {
    subject: { id: 'u-reyes', attributes },
    actor: null,
    action: action.name,
    resource: { type: resource.type, properties: {} },
    context,
    sourceSystem: 'time',
    now: instant('2026-03-10T14:00:00Z'),
  };
  const form = { target, mapping: { columns, matters: null }, matters: null, firstParameter: 1 };
  const { kind, members } = runAtOnce(deriveFilter(starterPolicies(), question, form));
  t.strictSame({ kind, ...members }, jsonAfter('<!-- answer -->'));
});
