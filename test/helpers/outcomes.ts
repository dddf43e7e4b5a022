// Outcomes for tests of what is made of them: one item with everything in it, and text that every format must survive. It must never escape anything.
import type { Outcome, OutcomeItem } from '../../src/cli/outcomes/outcome.ts';

export function item(more: Partial<OutcomeItem> = {}): OutcomeItem {
  return {
    name: 'no-owner copies (policies/rules/copies.yaml:12:5)',
    code: 'no-owner',
    status: 'failed',
    level: 'warning',
    file: 'policies/rules/copies.yaml',
    line: 12,
    column: 5,
    message: 'copies: the rule has no owner',
    details: ['Nobody can say whether it is still right.'],
    hint: 'write `owner:`',
    accepted: null,
    ...more,
  };
}

export function outcome(items: readonly OutcomeItem[], more: Partial<Outcome> = {}): Outcome {
  return {
    tool: 'policy check',
    subject: 'policies',
    revision: 'sha256:00',
    items,
    codes: new Map([['no-owner', 'A rule has no owner.']]),
    summary: `${items.length} items`,
    markdown: [],
    ...more,
  };
}

/** What files could hold so as to become markup or an order. */
export const HOSTILE: readonly string[] = [
  'a\nb',
  'a\r\n::error::stop',
  '::set-output name=x::y',
  '##[error]x',
  'a,b:c%0A',
  'a | b',
  '<script>alert(1)</script>',
  ']]>',
  '<!-- -->',
  '"quoted" \'so\'',
  '&amp;',
  '`tick',
  '`code` [link](https://example.org) ![](x) **bold** _so_ ~~no~~ @somebody #1 $x$',
  '# SKIP',
  'ok 2 - injected',
  '  ---\n  a: b\n  ...',
  '\\',
  '{0} {{1}}',
  '[x](1)',
  '\u0000\u001b[31m\u007f\u0085\u2028\u202e',
  '\ud800',
  '\ufeff\ufffe\uffff',
  '',
  ' ',
];

/** An item that says this in every place that a file can fill. */
export function saying(text: string): OutcomeItem {
  return item({ name: text, file: `policies/${text}`, message: text, details: [text], hint: text });
}
