// A policies folder with one of every mistake, for compile.test.ts.

export const BAD_PACK: Readonly<Record<string, string>> = {
  'firm.yaml': `version: 1
roles: { partner: Partner, clerk: Clerk }
actions: { read: Read, list: List, edit: Edit }
resource_types: { document: Document, note: Note, matter: Matter }
source_systems: [dms]
consents: { sharing: Clients that agreed }
groups:
  roles: { partner: [clerk], lawyer: [partner, asociate] }
  resources: { papers: [content, document], content: [papers, note] }
attributes:
  subject:
    id: { type: string, required: true }
    standing: { type: enum, values: [good, bad], required: true }
    seen: { type: timestamp, optional: never }
    rank: { type: enum, ordered: true, required: true }
  resource:
    constructor: { type: string, optional: none }
    matter_id: { type: string, required_for: [{ resources: [documents] }], optional: none }
    level: { type: enum, values: [low, high], ordered: true, required: true }
    state: { type: enum, values: [draft, final], required: true }
    kept: { type: boolean, default: 'no' }
    tags: { type: list, items: string, default: [] }
    pages: { type: number }
  context:
    stay: { type: duration, optional: none }
    stops: { type: list, items: { fields: { place: { type: string } } }, default: [] }
calendars:
  night: { days: [mon], from: '20:00', until: '07:00', timezone: UTC }
  abroad: { days: [mon], from: '07:00', until: '20:00', timezone: Mars/Olympus }
terms:
  circle: { $is: round }
  round: { $not: { $is: circle } }
  good: { subject.standing: good }
advice:
  'step_up:mfa': { acr_values: mfa }
walls: { conflict_checkers: [clrek], memo_advice: ['advice:memo'] }
`,
  'rules/a.yaml': `version: 1
rules:
  - id: words
    effect: allow
    subjects: [god]
    roles: [clerck]
    actions: [raed]
    resources: [dokument]
    obligations: ['log:copy']
  - id: effects
    effect: allow
    actions: any
    resources: any
    advice: ['step_up:mfa']
  - id: duties
    effect: deny
    actions: any
    resources: any
    obligations: ['log:copy']
    advice: ['step_up:mf']
  - id: default-deny
    effect: allow
    actions: any
    resources: any
  - id: headless
    effect: allow
    cases:
      - actions: [read]
      - resources: [note]
  - id: wider
    effect: deny
    actions: [read]
    resources: { except: [note] }
    cases:
      - { actions: [read, edit] }
      - { resources: any }
  - id: literals
    effect: deny
    actions: any
    resources: any
    when:
      resource.level: hgih
      resource.state: { $gte: draft }
      resource.pages: { $eq: many }
      subject.seen: { $lt: yesterday }
      resource.kept: { $ne: 'yes' }
      resource.tags: urgent
      context.stay: { $gt: P1M }
      action.name: { $in: [list, lits] }
      resource.type: documnet
      resource.matter_id: ''
      subject.standing: null
      subject.roles: { $has: boss }
  - id: operators
    effect: deny
    actions: any
    resources: any
    when:
      resource.level: { $greater: low, $gte: low }
      resource.state: { $has: draft }
      resource.tags: { $in: [a], $has_any: [] }
      subject.id: { $length: { $gte: -1 }, $lt: a }
      subject.seen: { $age: { $lte: 30, $within: P1D }, $during: nihgt }
      resource.matter_id: { $in: [], $exists: 'yes', $same: M-1 }
      context.stops: { $some: { plaice: x } }
      resource.pages: { $some: { a: 1 } }
      context.stops.place: x
      resource.kept: {}
      $gte: { resource.pages: 1 }
      $or: []
      $not: resource.kept
      $is: [good, 5]
      $nor: [{ resource.kept: true }]
  - id: references
    effect: deny
    actions: any
    resources: any
    when:
      resource.matter_id: "\${matter.ids}"
      subject.id: "u-\${resource.matter_id}"
      resource.level: "\${subject.seen}"
      resource.state: { $in: "\${resource.level}" }
      resource.tags: { $has_any: ["\${subject.id}", a] }
      client.id: { $in: "\${data.consents.shareing}" }
`,
  'rules/b.yaml': `version: 1
rules:
  - { id: words, effect: deny, actions: any, resources: any }
  - { id: Loud Rule, effect: forbid, actions: any, resources: any, wen: {} }
`,
  'rules/c.yaml': `version: 1
rules:
  - id: one
    effect: allow
    effect: deny
    actions: any
    resources: any
`,
  'rules/e.yaml': 'version: 1\nrules: [{ id: words, effect: deny, actions: any, resources: any }]\n',
  'rules/d.yaml': 'version: 1\nrules:\n  - id: [open\n',
  'walls/walls.yaml': `walls:
  - { id: W-1, kind: exclusion, excluded_people: [u-1] }
  - { id: W-2, kind: inclusion, client_id: C-1, included_people: [u-1] }
  - { id: W-3, kind: opposing, matter_id: M-1 }
  - { id: W-1, kind: exclusion, matter_id: M-1, excluded_people: [u-1], valid_from: 2O26-01-01T00:00:00Z }
  - { id: W-5, kind: exclusion, matter_id: M-1, valid_from: '2026-02-01T00:00:00Z', valid_until: '2026-01-01T00:00:00Z' }
`,
  'data/data.yaml': `matters:
  - { id: M-1, client_id: C-1, properties: { level: top } }
grants:
  - { id: G-1, granted_to: u-1, matter_id: M-1, actions: [read], approved_by: u-2, valid_until: soon }
`,
  'data/more.yaml': 'matters: [{ id: M-1, client_id: C-1 }]\n',
  'data/most.yaml': 'maters: []\n',
  'tests/tests.yaml': 'tests: [{ id: t, now: 5 }]\n',
  'invariants/i.yaml': 'a: 1\na: 2\n',
  'keys/firm.json': '{"keys":[],"keys":[]}',
  'issuers.yaml': `version: 1
issuers:
  - issuer: https://a.example/
    keys: { url: https://a.example/jwks }
    algorithms: [RS256]
    audience: https://privity.example/
    typ: at+jwt
    claims: { id: /sub, standng: /standing }
    may_assert: { user_types: [internal], roles: [boss], ids: ['u-*'] }
    clock_tolerance: 30s
  - issuer: https://b.example/
    keys: { file: keys/firm.json }
    algorithms: [ES256]
    audience: https://privity.example/
    typ: at+jwt
    claims: { id: /sub, client: /azp }
    may_assert: { user_types: [internal], roles: [], ids: [u-ann] }
  - issuer: https://b.example/
    keys: { file: keys/firm.json }
    algorithms: [ES256]
    audience: https://privity.example/
    typ: at+jwt
    claims: { id: /sub, client: /azp }
    may_assert: { user_types: [internal], roles: [], ids: [x-*] }
`,
  'callers.yaml': `version: 1
callers:
  - { id: dms, issuer: https://c.example/, client_id: x, source_system: dsm, may: [vouch], ai_assistant: ai }
  - id: web
    issuer: https://a.example/
    client_id: y
    source_system: dms
    may: []
    subject_tokens: { audiences: [dms], clients: [web], issuers: [https://a.exmple/] }
    vouch: { subject_types: [user], attributes: [roles, id, seem] }
  - { id: web, issuer: https://a.example/, client_id: y, source_system: dms, may: [] }
`,
  'lockdown.yaml': 'version: 1\npeople: u-1\n',
};
