// Says in the description of the API what audit reports there are. It must never hold what the catalogue does not say itself.
import { REPORTS } from '../core/reports/catalogue.ts';

const ABOUT =
  'For those whom policy lets list the log and, with `view=access_report`, for those whom policy lets read the access report of the ' +
  'matter. Every row and every matter that is told is judged for this reader; what they may not see is in no count, chart or note, and ' +
  'a report about it answers like one about what nobody has heard of. The reading is recorded before the answer.';

/** A list in Markdown; parameters that a report needs stand out. */
export const REPORTS_IN_WORDS = [
  ABOUT,
  '',
  ...REPORTS.map(({ name, about, params }) => {
    const words = Object.entries(params).map(([param, use]) => (use === 'required' ? `**${param}**` : param));
    return `- \`${name}\`: ${about} Takes ${words.join(', ')}.`;
  }),
].join('\n');
