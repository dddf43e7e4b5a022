// Says why an import must not be written as it is. It must never let a truncated export empty the firm.
import { count } from '../../../src/cli/shell/text.ts';
import type { Plan } from './plan.ts';

export interface Limits {
  readonly rejected: number;
  readonly clients: number;
  readonly removed: number;
}

/** Of lists that are shorter than this, any entry may go. */
const SHORT = 10;

export function objectionsTo({ changes, changedClients }: Plan, rejected: number, limits: Limits): readonly string[] {
  const objections: string[] = [];
  if (rejected > limits.rejected)
    objections.push(
      `${count(rejected, 'line')} rejected: mend the export, or leave them out with \`--accept-rejected ${rejected}\``,
    );
  if (changedClients.length > limits.clients) {
    const number = changedClients.length;
    objections.push(
      `${count(number, 'matter changes', 'matters change')} the client, and walls round a client cover its matters: if that is right, add \`--accept-changed-clients ${number}\``,
    );
  }
  for (const [name, list] of Object.entries(changes)) {
    if (
      list === null ||
      list.before < SHORT ||
      list.removed.length * 10 <= list.before ||
      list.removed.length <= limits.removed
    )
      continue;
    objections.push(
      `${list.removed.length} of ${list.before} ${name} would go, as if the export were cut off: if that is right, add \`--accept-removed ${list.removed.length}\``,
    );
  }
  return objections;
}
