// Every kind of finding about policies that load: what it means, why it matters, what to do. It must never hold behaviour.
// docs/policy-findings.md is generated from here.

export interface FindingSpec {
  /** `error` fails every strict check, `warning` fails it by default, `note` never does by itself. */
  readonly level: 'error' | 'warning' | 'note';
  /**
   * - `always`: found by every check, with and without `--strict`
   * - `strict`: found with `--strict` only
   * - `acceptance`: about an acceptance, with `--strict` only; cannot be accepted itself
   */
  readonly found: 'always' | 'strict' | 'acceptance';
  /** What it means, in one sentence. */
  readonly means: string;
  /** Why that matters, in one sentence. */
  readonly why: string;
  readonly remedy: string;
}

export const FINDINGS = {
  'never-holds': {
    level: 'warning',
    found: 'always',
    means: 'A rule, case, alternative, exception or term can never be true.',
    why: 'Somebody relies on it, and it does nothing.',
    remedy: 'Change one of the parts that exclude each other, or remove it.',
  },
  'shadowed-rule': {
    level: 'warning',
    found: 'always',
    means: 'An allow rule, or a case of one, can never let anybody in, because a deny rule always overrides it.',
    why: 'It reads like a right that nobody has.',
    remedy: 'Remove it, or make an exception in the deny with `unless`.',
  },
  'duplicate-rule': {
    level: 'warning',
    found: 'always',
    means: 'Two rules say the same.',
    why: 'Whoever changes one of them believes that something changed.',
    remedy: 'Keep one of them.',
  },
  'redundant-rule': {
    level: 'warning',
    found: 'always',
    means: 'A rule adds nothing: another one does the same wherever it is true.',
    why: 'Removing it takes nothing away, which nobody expects who reads it.',
    remedy: 'Remove it, or narrow the other one.',
  },
  'redundant-case': {
    level: 'warning',
    found: 'always',
    means: 'A case of a rule adds nothing: the other cases cover it.',
    why: 'Removing it takes nothing away, which nobody expects who reads it.',
    remedy: 'Remove the case, or narrow the others.',
  },
  'overlapping-allows': {
    level: 'warning',
    found: 'strict',
    means: 'For some of its actions and resource types an allow rule adds nothing: another one allows the same.',
    why: 'Taking the right away in one rule leaves it in the other.',
    remedy: 'Leave those actions or types to one of the two rules.',
  },
  'wildcard-in-allow': {
    level: 'warning',
    found: 'strict',
    means: 'An allow rule says `any` or `except` for its actions or resources.',
    why: 'What is added to firm.yaml later is allowed at once, without anybody deciding so.',
    remedy: 'List the actions and resources, or name a group.',
  },
  'unbounded-allow': {
    level: 'warning',
    found: 'strict',
    means: 'An allow rule has no condition about a matter, a client or a time.',
    why: 'Whoever has the role has the right on every matter of every client, for ever.',
    remedy: 'Add a condition such as `$is: on_the_team`, or a date.',
  },
  'role-without-rules': {
    level: 'warning',
    found: 'strict',
    means: 'No rule speaks of a role.',
    why: 'People get the role and expect something of it; a misspelt role in a token looks the same.',
    remedy: 'Write a rule for it, or remove the role.',
  },
  'unused-attribute': {
    level: 'warning',
    found: 'strict',
    means: 'No condition reads an attribute.',
    why: 'Callers send it and people believe that it decides something.',
    remedy: 'Use it in a rule, or remove it.',
  },
  'unused-term': {
    level: 'warning',
    found: 'strict',
    means: 'No rule, term or invariant uses a term.',
    why: 'It reads like a rule of the house and is none.',
    remedy: 'Use it, or remove it.',
  },
  'unused-group': {
    level: 'warning',
    found: 'strict',
    means: 'Nothing names a group of roles, actions or resources.',
    why: 'Whoever adds a member to it changes nothing.',
    remedy: 'Use it, or remove it.',
  },
  'unused-calendar': {
    level: 'warning',
    found: 'strict',
    means: 'No condition uses a calendar.',
    why: 'Hours that nobody is held to read like hours that are kept.',
    remedy: 'Use it with `$during`, or remove it.',
  },
  'unused-advice': {
    level: 'warning',
    found: 'strict',
    means: 'No deny rule gives an advice that firm.yaml declares.',
    why: 'People who could help themselves are not told how.',
    remedy: 'Give it in the rule it was meant for, or remove it.',
  },
  'unused-obligation': {
    level: 'warning',
    found: 'strict',
    means: 'No allow rule demands an obligation that firm.yaml declares.',
    why: 'A duty that is written down is demanded of nobody.',
    remedy: 'Demand it in the rule it was meant for, or remove it.',
  },
  'no-owner': {
    level: 'warning',
    found: 'strict',
    means: 'A rule has no owner.',
    why: 'Nobody can say whether it is still right.',
    remedy: 'Write `owner:` with the office that answers for it.',
  },
  'no-review-date': {
    level: 'warning',
    found: 'strict',
    means: 'A rule has no date for its next review.',
    why: 'Rights that nobody looks at again outlive their reason.',
    remedy: 'Write `review_by:` with a date.',
  },
  'overdue-review': {
    level: 'warning',
    found: 'always',
    means: 'The review of a rule is overdue.',
    why: 'Rights that nobody looks at again outlive their reason.',
    remedy: 'Have its owner confirm the rule, and set the next date.',
  },
  'untested-rule': {
    level: 'warning',
    found: 'strict',
    means: 'No test case of the folder is decided by a rule.',
    why: 'It can be broken or removed and all tests still pass.',
    remedy: 'Add a case to tests/ that it decides.',
  },
  'void-grant': {
    level: 'warning',
    found: 'always',
    means: 'A grant gives nothing: it has no end, or was approved by the person who receives it.',
    why: 'Whoever wrote it believes that somebody has access.',
    remedy: 'Add `valid_until`, have somebody else approve it, or remove it.',
  },
  'walled-team-member': {
    level: 'warning',
    found: 'always',
    means: 'A person on the team of a matter is kept from it by a wall.',
    why: 'The wall wins, so the team list is wrong, or the wall is.',
    remedy: 'Take the person off the team, or end the wall.',
  },
  'nobody-included': {
    level: 'warning',
    found: 'always',
    means: 'An inclusion wall lets nobody in.',
    why: 'The whole matter is closed, to those who work on it too.',
    remedy: 'List `included_people`.',
  },
  'nobody-excluded': {
    level: 'warning',
    found: 'always',
    means: 'An exclusion wall keeps nobody out.',
    why: 'A screen that the client was promised does nothing.',
    remedy: 'List `excluded_people`.',
  },
  'unknown-person': {
    level: 'warning',
    found: 'always',
    means: 'A person who is named is not listed in data/people.',
    why: 'A misspelt name is a grant for nobody, or a wall around nobody.',
    remedy: 'Check the spelling, or add the person.',
  },
  'unknown-matter': {
    level: 'note',
    found: 'always',
    means: 'A wall or a grant names a matter that is not registered.',
    why: 'It holds from the moment the matter is; a misspelt number never is.',
    remedy: 'Check the number.',
  },
  'long-yaml-list': {
    level: 'note',
    found: 'always',
    means: 'A list in YAML is longer than 5,000 entries.',
    why: 'CSV and NDJSON load many times faster.',
    remedy: 'Move the list to a CSV or NDJSON file.',
  },
  'unused-class': {
    level: 'note',
    found: 'always',
    means: 'A retention class names a practice group of which there is no matter.',
    why: 'A misspelt group keeps the records of its matters for another time than was meant.',
    remedy: 'Check the spelling.',
  },
  'held-unknown': {
    level: 'warning',
    found: 'always',
    means: 'A legal hold names a matter that is not on file.',
    why: 'A misspelt number holds nothing.',
    remedy: 'Check the number.',
  },
  'unprotected-keys': {
    level: 'warning',
    found: 'always',
    means: 'Keys of an issuer are fetched over plain http.',
    why: 'Whoever is on the way can put in keys of their own, and be anybody.',
    remedy: 'Use https, or a key file.',
  },
  'unused-file': {
    level: 'warning',
    found: 'always',
    means: 'A file or folder looks like policy but is not read.',
    why: 'A wall or a rule in it does nothing.',
    remedy: 'Put it where it is read, or take it out of the folder.',
  },
  'unknown-code': {
    level: 'error',
    found: 'acceptance',
    means: 'An acceptance names a code that does not exist, or one that cannot be accepted.',
    why: 'It accepts nothing, whatever its author believes.',
    remedy: 'Use a code of this page.',
  },
  'no-reason': {
    level: 'error',
    found: 'acceptance',
    means: 'An acceptance has no reason.',
    why: 'The next reader cannot tell whether it is still right.',
    remedy: 'Say in `reason` why it is right as it is.',
  },
  'expired-acceptance': {
    level: 'warning',
    found: 'acceptance',
    means: 'An acceptance counted only until a day that has passed.',
    why: 'What it accepted is found again.',
    remedy: 'Mend what it accepted, or set a later day after another look.',
  },
  'stale-acceptance': {
    level: 'warning',
    found: 'acceptance',
    means: 'An acceptance matches nothing that is found.',
    why: 'It would silence the next finding of its kind, which nobody looked at.',
    remedy: 'Remove it.',
  },
} as const satisfies Readonly<Record<string, FindingSpec>>;

export type FindingCode = keyof typeof FINDINGS;

export function isFindingCode(code: string): code is FindingCode {
  return Object.hasOwn(FINDINGS, code);
}
