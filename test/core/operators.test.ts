// Every operator where it is true, false and unknown, of a value, a known none and a default.
import t from 'tap';
import { checkTruths } from '../helpers/truth-tables.ts';

t.test('equality', async (t) =>
  checkTruths(
    t,
    `
    { resource.level: mid }
      resource.level: mid -> true
      resource.level: low -> false
      resource.level: null -> unknown
      resource.level: '' -> unknown
      resource.level: Mid -> unknown
      resource.level: [mid] -> unknown
    { resource.level: { $eq: mid } }
      resource.level: mid -> true
      resource.level: low -> false
    { resource.level: { $ne: mid } }
      resource.level: mid -> false
      resource.level: low -> true
      resource.level: null -> unknown
      resource.level: Mid -> unknown
    { $not: { resource.level: mid } }
      resource.level: mid -> false
      resource.level: null -> unknown

    # A known none is equal to nothing, and so different from everything.
    { resource.owner: u-ann }
      -> false
      resource.owner: u-ann -> true
      resource.owner: 5 -> unknown
    { resource.owner: { $ne: u-ann } }
      -> true
      resource.owner: '' -> true
      resource.owner: u-ann -> false
      resource.owner: { $ne: u-ann } -> unknown
    { resource.owner: "\${subject.id}" }
      -> false
      resource.owner: u-ann -> true
      resource.owner: u-ben -> false
    { resource.owner: { $ne: "\${subject.id}" } }
      -> true
      resource.owner: u-ann -> false

    # Two known nones are not equal either; unknown on one side makes it unknown, even beside a none.
    { resource.owner: "\${context.parcel.to}" }
      -> false
      context.parcel: 5 -> unknown
    { resource.owner: { $ne: "\${context.parcel.to}" } }
      -> true
      context.parcel: { to: 5 } -> unknown

    # A default is a known value.
    { resource.pages: 1 }
      -> true
      resource.pages: 2 -> false
      resource.pages: '1' -> unknown
      resource.pages: .inf -> unknown
    { resource.pages: 0 }
      resource.pages: -0.0 -> true
      resource.pages: .nan -> unknown
    { context.managed: false }
      -> true
      context.managed: true -> false
      context.managed: 'true' -> unknown
      context.managed: 0 -> unknown

    # Instants and durations are compared by what they mean.
    { resource.filed: '2026-03-10T14:00:00Z' }
      resource.filed: '2026-03-10T15:00:00+01:00' -> true
      resource.filed: '2026-03-10T14:00:00.001Z' -> false
    { resource.term: P1D }
      resource.term: PT24H -> true
      resource.term: P1M -> unknown
      -> false
  `,
  ),
);

t.test('order', async (t) =>
  checkTruths(
    t,
    `
    { resource.filed: { $lt: "\${now}" } }
      resource.filed: '2026-03-10T13:59:59.999Z' -> true
      resource.filed: '2026-03-10T14:00:00Z' -> false
      resource.filed: '2026-03-10T14:00:00.001Z' -> false
      -> false
    { resource.filed: { $lte: "\${now}" } }
      resource.filed: '2026-03-10T13:59:59.999Z' -> true
      resource.filed: '2026-03-10T14:00:00Z' -> true
      resource.filed: '2026-03-10T14:00:00.001Z' -> false
      -> false
    { resource.filed: { $gt: "\${now}" } }
      resource.filed: '2026-03-10T14:00:00Z' -> false
      resource.filed: '2026-03-10T14:00:00.001Z' -> true
      -> false
      resource.filed: soon -> unknown
      resource.filed: '2O26-03-11T14:00:00Z' -> unknown
    { resource.filed: { $gte: "\${now}" } }
      resource.filed: '2026-03-10T13:59:59.999Z' -> false
      resource.filed: '2026-03-10T14:00:00Z' -> true
      -> false
    { now: { $gt: '2026-03-10T13:00:00Z', $lt: '2026-03-10T15:00:00Z' } }
      -> true
      now: '2026-03-10T15:00:00Z' -> false

    # An ordered enum is compared by the place of its values.
    { resource.level: { $gte: mid } }
      resource.level: low -> false
      resource.level: mid -> true
      resource.level: high -> true
      resource.level: null -> unknown
    { resource.level: { $lt: high } }
      resource.level: mid -> true
      resource.level: high -> false
      resource.level: zzz -> unknown
      # Level is optional for reports: a known none, before and after nothing.
      type: report, resource.level: null -> false
    { $not: { resource.level: { $gte: low } } }
      type: report, resource.level: null -> true
    { resource.level: { $lte: "\${subject.clearance}" } }
      -> true
      resource.level: high, subject.clearance: mid -> false
      subject.clearance: null -> unknown

    { resource.pages: { $gt: 100 } }
      -> false
      resource.pages: 100 -> false
      resource.pages: 100.5 -> true
      resource.pages: .inf -> unknown
      resource.pages: '101' -> unknown
    { resource.term: { $lte: P1W } }
      resource.term: P7D -> true
      resource.term: P8D -> false
      -> false
    { subject.auth_time: { $lt: "\${now}" } }
      subject.auth_time: 1773151199 -> true
      subject.auth_time: 1773151200 -> false
      subject.auth_time: 1.0e+15 -> unknown
      -> false
  `,
  ),
);

t.test('lists', async (t) =>
  checkTruths(
    t,
    `
    { resource.level: { $in: [low, high] } }
      -> true
      resource.level: mid -> false
      resource.level: null -> unknown
    { resource.level: { $nin: [low, high] } }
      -> false
      resource.level: mid -> true
      resource.level: null -> unknown
    { resource.owner: { $in: [u-ann] } }
      -> false
      resource.owner: u-ann -> true
      resource.owner: constructor -> false
    { resource.owner: { $nin: [u-ann] } }
      -> true
      resource.owner: u-ann -> false
      resource.owner: 5 -> unknown
    { client.id: { $in: "\${data.consents.sharing}" } }
      -> true
      resource.client_id: C-2 -> false
      resource.client_id: null -> unknown
      type: wall, resource.client_id: null -> false
    { resource.owner: { $in: "\${resource.tags}" } }
      resource.owner: a, resource.tags: [a] -> true
      resource.owner: a -> false
      resource.tags: [a] -> false
      resource.owner: a, resource.tags: [a, 5] -> unknown
    { resource.owner: { $nin: "\${resource.tags}" } }
      -> true
      resource.owner: a, resource.tags: a -> unknown

    { matter.team: { $has: "\${subject.id}" } }
      -> true
      subject.id: u-eve -> false
      resource.matter_id: M-9 -> false
      resource.matter_id: null -> unknown
    { subject.amr: { $has: mfa } }
      -> false
      subject.amr: [pwd, mfa] -> true
      subject.amr: mfa -> unknown
      subject.amr: [mfa, 5] -> unknown
      subject.amr: [mfa, null] -> unknown
      subject.amr: [[mfa]] -> unknown
    { $not: { subject.amr: { $has: mfa } } }
      -> true
      subject.amr: { 0: mfa } -> unknown
    { resource.tags: { $has: "\${resource.owner}" } }
      resource.tags: [a] -> false
      resource.tags: [a], resource.owner: a -> true
      resource.tags: [a], resource.owner: 5 -> unknown
    { subject.roles: { $has_any: [clerk, analyst] } }
      -> false
      subject.roles: [partner, clerk] -> true
      subject.roles: [] -> false
      subject.roles: null -> unknown
      subject.roles: [clerk, boss] -> unknown
    { resource.tags: { $has_any: [a] } }
      -> false
      resource.tags: [b, a] -> true
      resource.tags: {} -> unknown
    { data.consents.sharing: { $has: "\${client.id}" } }
      -> true
      resource.client_id: C-9 -> false
    { data.consents.sharing: { $has_any: [C-1, C-9] } }
      -> true
    { data.consents.sharing: { $has_any: [C-9] } }
      -> false
  `,
  ),
);

t.test('presence', async (t) =>
  checkTruths(
    t,
    `
    # Required: absent is known not to be there, but no known none.
    { resource.level: { $exists: true } }
      -> true
      resource.level: null -> false
      resource.level: 5 -> unknown
    { resource.level: { $exists: false } }
      -> false
      resource.level: '' -> true
      resource.level: 5 -> unknown
    { resource.level: { $none: true } }
      -> false
      resource.level: null -> unknown
      resource.level: 5 -> unknown
    { resource.level: { $none: false } }
      -> true
      resource.level: null -> unknown

    # Optional.
    { resource.owner: { $exists: true } }
      -> false
      resource.owner: u-1 -> true
      resource.owner: 5 -> unknown
    { resource.owner: { $none: true } }
      -> true
      resource.owner: u-1 -> false
      resource.owner: 5 -> unknown
    { resource.tags: { $exists: true } }
      -> false
      resource.tags: [] -> true

    # A default stands for a value, but was not stated.
    { resource.pages: { $exists: true } }
      -> false
      resource.pages: 0 -> true
      resource.pages: '' -> false
    { resource.pages: { $none: true } }
      -> false
      resource.pages: x -> unknown
    { context.managed: { $exists: true } }
      -> false
      context.managed: false -> true

    # A field is not there where its object is not.
    { context.parcel.to: { $exists: true } }
      -> false
      context.parcel: {} -> false
      context.parcel: { to: u-1 } -> true
      context.parcel: { to: 5 } -> unknown
      context.parcel: 5 -> unknown
    { context.parcel.to: { $none: true } }
      -> true
      context.parcel: {} -> true
      context.parcel: 5 -> unknown
    { context.parcel: { $exists: true } }
      -> false
      context.parcel: {} -> true
      context.parcel: [] -> unknown

    # Derived, and on file.
    { matter.id: { $exists: true } }
      -> true
      resource.matter_id: null -> false
      resource.matter_id: 5 -> unknown
      type: matter, id: M-2 -> true
      type: report, resource.matter_id: null -> false
    { matter.id: { $none: true } }
      -> false
      resource.matter_id: null -> unknown
      type: report, resource.matter_id: null -> true
    { client.id: { $none: false } }
      -> true
      resource.client_id: null -> unknown
      type: client, resource.client_id: null -> true
    { matter.responsible_attorney: { $none: true } }
      -> false
      resource.matter_id: M-2 -> true
      resource.matter_id: M-9 -> true
      resource.matter_id: null -> unknown
    { matter.registered: true }
      -> true
      resource.matter_id: M-9 -> false
      resource.matter_id: null -> unknown
      type: report, resource.matter_id: '' -> false
    { actor.id: { $exists: true } }
      -> false
      actor: ai -> true
    { data.grants: { $exists: true }, data.consents.sharing: { $none: false }, now: { $exists: true } }
      -> true
  `,
  ),
);

t.test('the same, or both none', async (t) =>
  checkTruths(
    t,
    `
    { resource.owner: { $same: "\${context.parcel.to}" } }
      -> true
      resource.owner: u-1, context.parcel: { to: u-1 } -> true
      resource.owner: u-1, context.parcel: { to: u-2 } -> false
      resource.owner: u-1 -> false
      context.parcel: { to: u-1 } -> false
      context.parcel: { to: 5 } -> unknown
      resource.owner: 5 -> unknown
    { resource.owner: { $same: "\${matter.id}" } }
      resource.owner: M-1 -> true
      -> false
      resource.matter_id: null -> unknown
  `,
  ),
);

t.test('age, hours and length', async (t) =>
  checkTruths(
    t,
    `
    { subject.auth_time: { $age: { $gte: PT0S, $lte: PT30M } } }
      subject.auth_time: '2026-03-10T13:30:00Z' -> true
      subject.auth_time: '2026-03-10T13:29:59.999Z' -> false
      subject.auth_time: '2026-03-10T14:00:00Z' -> true
      subject.auth_time: '2026-03-10T14:00:00.001Z' -> false
      subject.auth_time: 1773151200 -> true
      -> false
      subject.auth_time: true -> unknown
      subject.auth_time: 1.0e+300 -> unknown
    { $not: { subject.auth_time: { $age: { $lte: PT30M } } } }
      -> true
      subject.auth_time: x -> unknown
    { now: { $during: office_hours } }
      -> true
      now: '2026-03-10T20:00:00Z' -> false
      now: '2026-03-14T14:00:00Z' -> false
    { resource.filed: { $during: office_hours } }
      -> false
      resource.filed: '2026-03-10T09:00:00Z' -> true
      resource.filed: 5 -> unknown

    # Code points: a pair of surrogates is one, a letter and its combining accent are two.
    { resource.title: { $length: { $gte: 2, $lt: 4 } } }
      resource.title: a -> false
      resource.title: ab -> true
      resource.title: abcd -> false
      resource.title: 😀 -> false
      resource.title: 😀😀😀 -> true
      resource.title: "e\\u0301" -> true
      resource.title: '   ' -> true
      -> false
      resource.title: [a, b] -> unknown
      resource.title: { length: 3 } -> unknown
  `,
  ),
);
