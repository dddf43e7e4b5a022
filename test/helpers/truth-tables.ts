// Conditions of the small firm with what they are for some requests, written as text: a condition as YAML on a line of its
// own, below it requests (attributes by path, and type, id, action, actor, now) with the truth expected. It must never judge.
import type { Test } from 'tap';
import { parse } from 'yaml';
import { decide } from '../../src/core/decide.ts';
import { asks, smallFirm, type Asked } from './policies.ts';

interface Row {
  readonly when: unknown;
  readonly truths: (readonly [asked: string, truth: string])[];
}

export function checkTruths(t: Test, table: string): void {
  const rows: Row[] = [];
  for (const line of table.split('\n').map((text) => text.trim())) {
    const [asked = '', truth] = line.split('->').map((text) => text.trim());
    if (truth !== undefined) rows.at(-1)?.truths.push([asked, truth]);
    else if (asked !== '' && !asked.startsWith('#')) rows.push({ when: parse(asked), truths: [] });
  }
  const rules = rows.map(({ when }, index) => ({
    id: `r${index}`,
    effect: 'deny',
    actions: 'any',
    resources: 'any',
    when,
  }));
  const set = smallFirm(rules);
  for (const [index, { when, truths }] of rows.entries()) {
    for (const [asked, truth] of truths) {
      const result = decide(set, asks(askedIn(asked))).results.find(({ rule }) => rule === `r${index}`);
      t.equal(
        result?.truth ?? 'false',
        truth,
        `${JSON.stringify(when)} of ${asked === '' ? 'a plain request' : asked}`,
      );
    }
  }
}

/** `subject.amr: [mfa], resource.level: low, type: note` */
function askedIn(text: string): Asked {
  const asked: Record<string, unknown> & Record<'subject' | 'properties' | 'context', Record<string, unknown>> = {
    subject: {},
    properties: {},
    context: {},
  };
  for (const [path, value] of Object.entries(parse(`{ ${text} }`) as Record<string, unknown>)) {
    const [namespace = '', name] = path.split('.');
    if (name === undefined) asked[path] = value;
    else if (namespace === 'subject') asked.subject[name] = value;
    else if (namespace === 'context') asked.context[name] = value;
    else asked.properties[name] = value;
  }
  return asked;
}
