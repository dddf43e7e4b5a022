// Makes a counter-example small: leaves out what is not needed, so that people see what matters. It must never hand on one that contradicts nothing.
import type { Case } from './violation.ts';

/** @param stillContradicts judged by the engine */
export function smallest(given: Case, stillContradicts: (one: Case) => boolean): Case {
  let best = given;
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false;
    for (const smaller of variants(best)) {
      if (!stillContradicts(smaller)) continue;
      best = smaller;
      isSmaller = true;
      break;
    }
  }
  return best;
}

type Members = Readonly<Record<string, unknown>>;

function* variants(one: Case): Generator<Case> {
  const { claims, resource, context = {} } = one;
  const properties = resource.properties ?? {};
  for (const left of withoutOne(claims, ['sub'])) yield { ...one, claims: { ...left, sub: claims['sub'] } };
  for (const left of withoutOne(context)) yield { ...one, context: left };
  for (const left of withoutOne(properties)) yield { ...one, resource: { ...resource, properties: left } };
  for (const fewer of shorterLists(claims)) yield { ...one, claims: fewer };
  for (const fewer of shorterLists(context)) yield { ...one, context: fewer };
  for (const fewer of shorterLists(properties)) yield { ...one, resource: { ...resource, properties: fewer } };
}

function* withoutOne(members: Members, kept: readonly string[] = []): Generator<Members> {
  for (const name of Object.keys(members)) {
    if (kept.includes(name)) continue;
    yield Object.fromEntries(Object.entries(members).filter(([other]) => other !== name));
  }
}

function* shorterLists(members: Members): Generator<Members> {
  for (const [name, value] of Object.entries(members)) {
    if (!Array.isArray(value)) continue;
    for (const index of value.keys()) yield { ...members, [name]: value.toSpliced(index, 1) };
  }
}
