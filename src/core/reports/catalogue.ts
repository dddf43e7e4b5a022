// Lists every audit report there is. It must never hold what a report does.
import { blastRadius } from './blast-radius.ts';
import { breakGlass } from './break-glass.ts';
import { disposal } from './disposal.ts';
import { leavers } from './leavers.ts';
import { matterAccess } from './matter-access.ts';
import { month } from './month.ts';
import { personOnADate } from './person-on-a-date.ts';
import { probing } from './probing.ts';
import type { ReportDefinition } from './report.ts';
import { ruleOnADate } from './rule-on-a-date.ts';
import { screenCertificate } from './screen-certificate.ts';

/** In the order in which help and docs list them. */
export const REPORTS: readonly ReportDefinition[] = [
  matterAccess,
  personOnADate,
  screenCertificate,
  blastRadius,
  breakGlass,
  leavers,
  disposal,
  probing,
  ruleOnADate,
  month,
];

export const REPORTS_BY_NAME: ReadonlyMap<string, ReportDefinition> = new Map(REPORTS.map((one) => [one.name, one]));
