// Ethical walls and the lockdown judged as the rule catalogue states them, one wall after the other. It must never share
// code with src/core, which it is there to check.
import {
  everyOf,
  isMap,
  listOf,
  member,
  notOf,
  someOf,
  spelledOut,
  valueAt,
  type Raw,
  type Truth,
  type Value,
  type World,
} from './naive-values.ts';
import { instantOf } from './naive-time.ts';

const is = (found: Value, id: unknown): Truth =>
  found.is === 'unknown' ? undefined : found.is === 'value' && found.value === id;
const isAmong = (found: Value, ids: unknown): Truth => someOf(listOf(ids).map((id) => is(found, id)));

/** By wall: the name under which it denies, and whether it does. */
export function judgeWall(world: World, settings: Raw, wall: Raw): (readonly [rule: string, truth: Truth])[] {
  const { request, data } = world;
  const { now, action, resource } = request;
  const { valid_from: from, valid_until: until } = wall;
  if (typeof from === 'string' && now < (instantOf(from) ?? NaN)) return [];
  if (typeof until === 'string' && now >= (instantOf(until) ?? NaN)) return [];
  const subject = valueAt(world, 'subject.id');
  const matter = valueAt(world, 'matter.id');
  const names = (people: unknown): Truth => isAmong(subject, people);
  if (wall['kind'] === 'opposing') {
    const [one, other] = listOf(wall['sides']);
    const crosses = (side: unknown, opposite: unknown): Truth =>
      everyOf([names(member(side, 'people')), isAmong(matter, member(opposite, 'matters'))]);
    return [['opposing-teams', someOf([crosses(one, other), crosses(other, one)])]];
  }
  if (wall['kind'] === 'inclusion') {
    if (resource.type === 'wall') return [];
    const checking = action === 'list' && (resource.type === 'matter' || resource.type === 'client');
    const roles = valueAt(world, 'subject.roles');
    const checkers = spelledOut(world.firm, 'roles', settings['conflict_checkers']);
    const checker = roles.is === 'value' ? checkers.some((role) => listOf(roles.value).includes(role)) : undefined;
    const open = checking && checkers.length > 0 ? checker : false;
    const concerned = everyOf([is(matter, wall['matter_id']), notOf(open)]);
    const included = names(wall['included_people']);
    return [
      ['inclusion-wall', everyOf([concerned, notOf(included)])],
      [
        'wall-memo-acknowledgement',
        everyOf([concerned, included, notOf(names(wall['acknowledged_by'])), action !== 'list']),
      ],
    ];
  }
  const covers = someOf([
    wall['matter_id'] === undefined ? false : is(matter, wall['matter_id']),
    wall['client_id'] === undefined ? false : is(valueAt(world, 'client.id'), wall['client_id']),
    wall['client_id'] === undefined ? false : is(valueAt(world, 'matter.client_id'), wall['client_id']),
  ]);
  const lateral = listOf(settings['lateral_reasons']).includes(wall['reason']);
  const rule =
    wall['client_id'] !== undefined ? 'client-wide-exclusion' : lateral ? 'lateral-hire-screen' : 'exclusion-wall';
  const assisted = listOf(subject.is === 'value' ? member(data['assistants'], String(subject.value)) : []);
  const inherits = assisted.some((person) => listOf(wall['excluded_people']).includes(person));
  return [
    [rule, everyOf([covers, names(wall['excluded_people'])])],
    [
      'assistants-inherit-screen',
      everyOf([covers, notOf(names(wall['excluded_people'])), inherits, notOf(names(wall['released_assistants']))]),
    ],
  ];
}

export function judgeLockdown(world: World, lockdown: Raw): Truth {
  const listed = (path: string, root: string): Truth =>
    isAmong(
      valueAt(world, path),
      listOf(lockdown[root]).map((one) => (isMap(one) ? one['id'] : one)),
    );
  return someOf([
    listed('subject.id', 'people'),
    listed('actor.id', 'people'),
    listed('matter.id', 'matters'),
    listed('client.id', 'clients'),
    listed('matter.client_id', 'clients'),
  ]);
}
