// Makes of a record the question that was asked, in the words of a candidate set. What the record does not hold, or holds masked, it must
// never guess: it is unknown, and named.
import type { CarriedNamespace } from '../../../src/core/facts-plan.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { isObject, type JsonObject } from '../../../src/core/recorded-request.ts';

export interface Completed {
  /** The record with something in every place that the candidate reads. */
  readonly record: JsonObject;
  /** Attributes that the candidate reads and that are not known, such as `resource.embargo`. */
  readonly unknown: readonly string[];
}

/** No attribute reads this: what it stands for is unknown (P3). */
const UNREADABLE: readonly unknown[] = Object.freeze([Object.freeze([])]);
/** What an export has instead of free text (docs/reading.md). */
const MASK = '[masked]';
const NOTHING: readonly string[] = [];

interface Filled {
  readonly values: JsonObject;
  readonly unknown: readonly string[];
}

export interface Completer {
  complete(record: JsonObject): Completed;
}

export function createCompleter(set: PolicySet): Completer {
  const { unstated } = set.plan;
  const names = {
    subject: Object.keys(unstated.subject),
    resource: Object.keys(unstated.resource),
    context: Object.keys(unstated.context),
  };
  // Many requests come with one token.
  const known = new WeakMap<JsonObject, Filled>();

  /** Absence is explicit in records: a name that is not there was not recorded. */
  function fill(namespace: CarriedNamespace, values: JsonObject): Filled {
    const lacking = names[namespace].filter((name) => !Object.hasOwn(values, name));
    if (lacking.length === 0) return { values, unknown: NOTHING };
    const filled = { ...values, ...Object.fromEntries(lacking.map((name) => [name, UNREADABLE])) };
    return { values: filled, unknown: lacking.map((name) => `${namespace}.${name}`) };
  }

  function filledOnce(namespace: CarriedNamespace, values: JsonObject): Filled {
    let filled = known.get(values);
    if (filled === undefined) known.set(values, (filled = fill(namespace, values)));
    return filled;
  }

  function unmask(namespace: CarriedNamespace, { values, unknown }: Filled, freeText: readonly unknown[]): Filled {
    const masked = names[namespace].filter(
      (name) => values[name] === MASK && freeText.includes(`${namespace}.${name}`),
    );
    if (masked.length === 0) return { values, unknown };
    return {
      values: { ...values, ...Object.fromEntries(masked.map((name) => [name, UNREADABLE])) },
      unknown: [...unknown, ...masked.map((name) => `${namespace}.${name} (masked in exports)`)],
    };
  }

  return {
    complete(record) {
      const { subject, resource, context, free_text: listed } = record;
      if (!isObject(subject) || !isObject(resource) || !isObject(context)) return { record, unknown: NOTHING };
      const { attributes, dropped_roles: dropped } = subject;
      const { properties } = resource;
      if (!isObject(attributes) || !isObject(properties)) return { record, unknown: NOTHING };
      const freeText = Array.isArray(listed) ? listed : NOTHING;
      let [who, what, how] = [
        filledOnce('subject', attributes),
        filledOnce('resource', properties),
        filledOnce('context', context),
      ];
      if (freeText.length > 0) {
        who = unmask('subject', who, freeText);
        what = unmask('resource', what, freeText);
        how = unmask('context', how, freeText);
      }
      // Roles that only the candidate knows were dropped when the token was read; whether they count then is not recorded.
      if (Array.isArray(dropped) && dropped.some((role) => typeof role === 'string' && set.roles.has(role))) {
        const values = { ...who.values, roles: UNREADABLE };
        who = { values, unknown: [...who.unknown, 'subject.roles (roles that only the candidate knows)'] };
      }
      if (who.values === attributes && what.values === properties && how.values === context) {
        return { record, unknown: NOTHING };
      }
      return {
        record: {
          ...record,
          subject: { ...subject, attributes: who.values },
          resource: { ...resource, properties: what.values },
          context: how.values,
        },
        unknown: [...who.unknown, ...what.unknown, ...how.unknown],
      };
    },
  };
}
