// Says what stands above every report, whatever its form. It must never leave out for whom it was made and whether it is complete.
import type { AuditReport } from '../../model/audit-report.ts';

export function headOf(report: AuditReport): readonly (readonly [label: string, value: string])[] {
  const { asked, period, policy, generated_at: at, generated_for: reader, rows, is_complete: isComplete } = report;
  return [
    ...Object.entries(asked).map(([name, value]) => [name, value] as const),
    ...(period === null ? [] : [['period', `${period.from} to ${period.to} (the end is not part of it)`] as const]),
    ['made at', at],
    ['made for', `${reader}: it holds what this reader may see`],
    ['policy set', policy.revision + (policy.commit === null ? '' : ` (commit ${policy.commit})`)],
    ['records read', rows.toLocaleString('en-US')],
    ['complete', isComplete ? 'yes' : 'NO: see the notes'],
  ];
}
