// The access-control matrix as Markdown, CSV or a page: what auditors file. It must never show a right without the conditions it depends on.
import { matrixRows, type MatrixRow } from '../../core/matrix.ts';
import type { PolicySet } from '../../core/policy-set.ts';

/** One table: a resource type, its roles and actions, and the numbered conditions its cells refer to. */
interface Sheet {
  readonly resourceType: string;
  readonly title: string;
  readonly actions: readonly string[];
  readonly lines: readonly { readonly role: string; readonly cells: readonly (readonly number[])[] }[];
  readonly notes: readonly { readonly rule: string; readonly source: string; readonly conditions: readonly string[] }[];
  readonly refusals: readonly {
    readonly rule: string;
    readonly actions: readonly string[];
    readonly conditions: readonly string[];
  }[];
}

const ANY_ROLE = 'any role';

export function sheetsOf(set: PolicySet): readonly Sheet[] {
  const byType = Map.groupBy(matrixRows(set), ({ resourceType }) => resourceType);
  return [...byType].map(([resourceType, rows]) => sheetOf(set, resourceType, rows));
}

function sheetOf(set: PolicySet, resourceType: string, rows: readonly MatrixRow[]): Sheet {
  const allows = rows.filter(({ effect }) => effect === 'allow');
  const keyOf = ({ rule, conditions }: MatrixRow) => `${rule}\u0000${conditions.join('\u0000')}`;
  const numbered = [...Map.groupBy(allows, keyOf).values()]
    .flatMap(([first]) => first ?? [])
    .sort((a, b) => (a.rule < b.rule ? -1 : 1));
  const numbers = new Map(numbered.map((row, index) => [keyOf(row), index + 1]));
  const actions = [...set.firm.names.actions.keys()].filter((action) => allows.some((row) => row.action === action));
  const roles: (string | null)[] = [null, ...set.firm.names.roles.keys()];
  const lines = roles
    .filter((role) => allows.some((row) => row.role === role))
    .map((role) => ({
      role: role ?? ANY_ROLE,
      cells: actions.map((action) =>
        [
          ...new Set(
            allows
              .filter((row) => row.role === role && row.action === action)
              .map((row) => numbers.get(keyOf(row)) ?? 0),
          ),
        ].sort((a, b) => a - b),
      ),
    }));
  const denies = Map.groupBy(
    rows.filter(({ effect }) => effect === 'deny'),
    keyOf,
  );
  return {
    resourceType,
    title: set.firm.names.resourceTypes.get(resourceType) ?? resourceType,
    actions,
    lines,
    notes: numbered.map(({ rule, source, conditions }) => ({ rule, source, conditions })),
    refusals: [...denies.values()].flatMap((same) => {
      const [first] = same;
      return first === undefined
        ? []
        : [{ rule: first.rule, actions: [...new Set(same.map(({ action }) => action))], conditions: first.conditions }];
    }),
  };
}

const INTRODUCTION =
  'Who may do what, by role, action and type. A number stands for a rule that may let somebody in: its conditions are listed below the table. ' +
  'Any rule that refuses, and any ethical wall, beats them all. An empty cell is a refusal.';

export function matrixMarkdown(set: PolicySet): string {
  const out = [`# Access-control matrix: ${set.firm.name ?? 'policies'}`, '', INTRODUCTION, ''];
  for (const sheet of sheetsOf(set)) {
    out.push(`## ${sheet.title} (\`${sheet.resourceType}\`)`, '');
    if (sheet.lines.length === 0) out.push('Nobody may do anything.', '');
    else {
      out.push(`| Role | ${sheet.actions.join(' | ')} |`, `|---|${sheet.actions.map(() => '---').join('|')}|`);
      for (const { role, cells } of sheet.lines)
        out.push(`| ${role} | ${cells.map((numbers) => numbers.join(' ')).join(' | ')} |`);
      out.push('');
      sheet.notes.forEach(({ rule, source, conditions }, index) => {
        out.push(`${index + 1}. **${rule}** (${source}): ${conditionText(conditions)}`);
      });
      out.push('');
    }
    if (sheet.refusals.length > 0) {
      out.push('Refused by:', '');
      for (const { rule, actions, conditions } of sheet.refusals) {
        out.push(`- **${rule}** (${actionText(set, actions)}): ${conditionText(conditions)}`);
      }
      out.push('');
    }
  }
  return `${out.join('\n').trimEnd()}\n`;
}

function conditionText(conditions: readonly string[]): string {
  return conditions.length === 0 ? 'always' : conditions.map(escapeMarkdown).join('; ');
}

function actionText({ firm }: PolicySet, actions: readonly string[]): string {
  const every = [...firm.names.actions.keys()];
  if (actions.length === every.length) return 'any action';
  const except = every.filter((action) => !actions.includes(action));
  return except.length <= 2 ? `any action but ${except.join(', ')}` : actions.join(', ');
}

function escapeMarkdown(text: string): string {
  return text.replaceAll('_', '\\_').replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

/** A row for each role, action, type and rule; one rule with several cases has several rows. */
export function matrixCsv(set: PolicySet): string {
  const rows = matrixRows(set).map(({ role, action, resourceType, effect, rule, conditions, source }) => [
    resourceType,
    action,
    role ?? ANY_ROLE,
    effect,
    rule,
    conditions.join('; ') || 'always',
    source,
  ]);
  const header = ['resource_type', 'action', 'role', 'effect', 'rule', 'conditions', 'source'];
  return [header, ...rows].map((cells) => cells.map(csvCell).join(',')).join('\r\n') + '\r\n';
}

/** RFC 4180; a cell that a spreadsheet would take for a formula gets an apostrophe. */
function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const STYLE = `body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1d2330}
table{border-collapse:collapse;margin:.75rem 0;font-size:13px}th,td{border:1px solid #c9cfda;padding:.25rem .5rem;text-align:left}
thead th{background:#eef1f6;position:sticky;top:0}tbody th{font-weight:600;white-space:nowrap}td.yes{background:#e3f3e6}
h2{margin-top:2.5rem;border-bottom:2px solid #c9cfda}code{font-size:90%}ol,ul{font-size:13px}.refusals{background:#fbeeee;padding:.5rem 1rem .5rem 2rem}
@media print{body{max-width:none}h2{break-before:page}}`;

/** One page that needs nothing else, also for printing. */
export function matrixHtml(set: PolicySet): string {
  const title = `Access-control matrix: ${escapeHtml(set.firm.name ?? 'policies')}`;
  const sheets = sheetsOf(set).map((sheet) => sheetHtml(set, sheet));
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><title>${title}</title><style>${STYLE}</style></head><body>`,
    `<h1>${title}</h1><p>${INTRODUCTION}</p>`,
    ...sheets,
    '</body></html>',
    '',
  ].join('\n');
}

function sheetHtml(set: PolicySet, { resourceType, title, actions, lines, notes, refusals }: Sheet): string {
  const head = `<tr><th>Role</th>${actions.map((action) => `<th>${escapeHtml(action)}</th>`).join('')}</tr>`;
  const body = lines
    .map(({ role, cells }) => {
      const columns = cells.map((numbers) =>
        numbers.length === 0 ? '<td></td>' : `<td class="yes">${numbers.join(' ')}</td>`,
      );
      return `<tr><th>${escapeHtml(role)}</th>${columns.join('')}</tr>`;
    })
    .join('\n');
  const text = (conditions: readonly string[]) =>
    conditions.length === 0 ? 'always' : conditions.map(escapeHtml).join('; ');
  const notesHtml = notes
    .map(({ rule, conditions }) => `<li><b>${escapeHtml(rule)}</b>: ${text(conditions)}</li>`)
    .join('\n');
  const refusalsHtml = refusals
    .map(
      (one) =>
        `<li><b>${escapeHtml(one.rule)}</b> (${escapeHtml(actionText(set, one.actions))}): ${text(one.conditions)}</li>`,
    )
    .join('\n');
  return [
    `<h2>${escapeHtml(title)} <code>${escapeHtml(resourceType)}</code></h2>`,
    lines.length === 0
      ? '<p>Nobody may do anything.</p>'
      : `<table><thead>${head}</thead><tbody>\n${body}\n</tbody></table><ol>\n${notesHtml}\n</ol>`,
    refusals.length === 0 ? '' : `<p>Refused by:</p><ul class="refusals">\n${refusalsHtml}\n</ul>`,
  ].join('\n');
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
