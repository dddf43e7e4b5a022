// `privity policy requires`: what a caller must send, for whom, and because of which rules.
import t from 'tap';
import { privity } from './privity.ts';

interface Report {
  readonly requires: {
    attribute: string;
    type: string;
    required_for: string[];
    absence: string | null;
    rules: string[];
  }[];
}

t.test('as a table', async (t) => {
  const { code, out } = await privity(['policy', 'requires', 'document', 'download']);
  t.equal(code, 0);
  t.match(out, /^ {2}resource\.matter_id +for everybody +string$/m);
  t.match(out, /^ {2}context\.network_zone +for internal, external, client +office \| vpn/m);
  t.match(out, /^ {2}context\.device_managed +counts as false {2}\(boolean\)$/m);
  t.match(out, /^ {2}resource\.data_region\n {4}eu-data-transfer$/m);
  t.notMatch(out, 'source_system', 'it comes from the registered caller');
});

t.test('as JSON', async (t) => {
  const { code, out } = await privity(['policy', 'requires', 'document', 'download', '--format', 'json']);
  const report: Report = JSON.parse(out);
  t.equal(code, 0);
  const of = (attribute: string) => report.requires.find((one) => one.attribute === attribute);
  t.match(of('context.network_zone'), { required_for: ['internal', 'external', 'client'] });
  t.match(of('resource.pii'), { type: 'boolean', rules: ['personal-data-purpose'] });
});

t.test('names that firm.yaml does not know', async (t) => {
  const type = await privity(['policy', 'requires', 'documnet', 'read']);
  t.equal(type.code, 2);
  t.match(type.err, 'did you mean `document`?');
  const action = await privity(['policy', 'requires', 'document', 'dwonload']);
  t.equal(action.code, 2);
  t.match(action.err, 'did you mean `download`?');
  const swapped = await privity(['policy', 'requires', 'download', 'document']);
  t.equal(swapped.code, 2);
  t.match(swapped.err, 'write `privity policy requires document download`');
});
