// Rules that nobody looks after: no owner, no date of review, no test. It must never count a test that another rule decides.
import { decide } from '../../../src/core/decide.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { Report } from '../../../src/core/report.ts';
import { requestOfTest } from '../../../src/core/run-tests.ts';

/** @param areTestsWhole false: some of them could not be read, so that none is missed */
export function reviewCare(set: PolicySet, areTestsWhole: boolean, report: Report): void {
  const tested = testedRules(set);
  for (const { id, entry, place } of set.rules) {
    if ((entry.owner ?? '').trim() === '')
      report.finding(place, 'no-owner', 'the rule has no owner', 'write `owner:` with the office that answers for it');
    if (entry.review_by === undefined)
      report.finding(place, 'no-review-date', 'the rule has no date for its next review', 'write `review_by:`');
    if (areTestsWhole && !tested.has(id))
      report.finding(
        place,
        'untested-rule',
        'no test case is decided by the rule',
        'add one to tests/ that it decides',
      );
  }
}

function testedRules(set: PolicySet): ReadonlySet<string> {
  const tested = new Set<string>();
  for (const { test } of set.tests) {
    const made = requestOfTest(set, test);
    if ('refused' in made) continue;
    for (const id of decide(set, made.request).decidedBy) tested.add(id);
  }
  return tested;
}
