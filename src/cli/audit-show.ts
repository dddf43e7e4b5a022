// `privity audit show`: one record of the log in full. It must never hide that a record is not what was committed.
import type { RecordAnswer } from '../model/reports.ts';
import { API_ABOUT, API_OPTIONS, ApiProblem, openApi } from './audit/api-client.ts';
import { recordLines } from './audit/record-text.ts';
import type { Verb } from './shell/verb.ts';

export const verb: Verb = {
  about: [
    'Says who asked for what, what was decided and by which rules, on which facts. Free text is masked. Exit code 1 when there is ' +
      'no such record for you, or when its bytes are not those that were committed.',
    API_ABOUT,
  ],
  operands: { usage: '<ID>', min: 1, max: 1, help: 'the id of the record: of a decision its evaluation id' },
  options: { json: { help: 'machine-readable: the record as JSON' }, ...API_OPTIONS },
  examples: [{ command: 'privity audit show 0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e', does: 'one decision' }],
  async run(shell, args) {
    const [id = ''] = args.operands;
    const api = await openApi(shell, args);
    try {
      const response = await api.get(`/v1/decisions/${encodeURIComponent(id)}`, {});
      const answer = (await response.json()) as RecordAnswer;
      if (args.isOn('json')) shell.out.line(JSON.stringify(answer, null, 2));
      else for (const line of recordLines(shell.out, answer)) shell.out.line(line);
      if (answer.proof.intact) return 0;
      shell.err.line(shell.err.paint('red', 'the bytes of this record are not those that were committed'));
      return 1;
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status !== 404) throw error;
      shell.err.line('nothing is here for you: there is no such record, or it is not for you');
      return 1;
    }
  },
};
