// Reads of a record's bytes the members that a replay needs. What many records say alike (a token's claims, circumstances) is parsed once and
// shared, so that everything remembered about it is too. It must never give another value than a parse of the whole record does.
import { createAlikeScanner } from '../../../src/core/record/alike.ts';
import { wantedMembers } from '../../../src/core/record/scan.ts';
import type { JsonObject } from '../../../src/core/recorded-request.ts';

export interface HotReader {
  /** The record at `[from, to)` with those members and no others; null: in doubt, parse the whole. */
  at(block: Buffer, from: number, to: number): JsonObject | null;
}

/** Whole members, and those of which only a part is read. */
const MEMBERS = [
  'action',
  'approval',
  'approvals',
  'at',
  'caller.source_system',
  'context',
  'decided_by',
  'fields',
  'free_text',
  'id',
  'kind',
  'matter',
  'outcome',
  'policy',
  'resource.id',
  'resource.properties',
  'resource.type',
  'review',
  'search',
  'subject.actor',
  'subject.attributes',
  'subject.dropped_roles',
  'subject.id',
  'terms',
  'v',
] as const;

/** What every record has of its own: remembering it would only cost. */
const OWN: ReadonlySet<string> = new Set(['at', 'id']);
const MOST_KEPT = 4_096;
const SMALL_N = 0x6e;

type Reader = (block: Buffer, from: number, to: number) => unknown;

export function createHotReader(): HotReader {
  const wanted = wantedMembers(MEMBERS);
  const scanner = createAlikeScanner(wanted);
  const spans = new Int32Array(wanted.count * 2);
  const readers = MEMBERS.map((path): Reader => (OWN.has(path) ? parsed : createMemory()));
  let bytes: Buffer = Buffer.alloc(0);
  const place = (path: (typeof MEMBERS)[number]): number => MEMBERS.indexOf(path);
  const [V, ID, AT, KIND] = [place('v'), place('id'), place('at'), place('kind')];
  const [ACTION, MATTER, OUTCOME] = [place('action'), place('matter'), place('outcome')];
  const [DECIDED_BY, FREE_TEXT, POLICY] = [place('decided_by'), place('free_text'), place('policy')];
  const [CONTEXT, SYSTEM, APPROVALS] = [place('context'), place('caller.source_system'), place('approvals')];
  const [TYPE, RESOURCE_ID, PROPERTIES] = [place('resource.type'), place('resource.id'), place('resource.properties')];
  const [SUBJECT_ID, ACTOR, ATTRIBUTES] = [place('subject.id'), place('subject.actor'), place('subject.attributes')];
  const DROPPED = place('subject.dropped_roles');
  const [TERMS, FIELDS, SEARCH] = [place('terms'), place('fields'), place('search')];
  const [APPROVAL, REVIEW] = [place('approval'), place('review')];

  function read(member: number): unknown {
    const from = spans[member * 2] ?? -1;
    return from < 0 ? undefined : readers[member]?.(bytes, from, spans[member * 2 + 1] ?? -1);
  }

  return {
    at(block, from, to) {
      if (scanner.scan(block, from, to, spans) !== 'canonical') return null;
      bytes = block;
      return {
        v: read(V),
        id: read(ID),
        at: read(AT),
        kind: read(KIND),
        action: read(ACTION),
        matter: read(MATTER),
        outcome: read(OUTCOME),
        decided_by: read(DECIDED_BY),
        free_text: read(FREE_TEXT),
        policy: read(POLICY),
        context: read(CONTEXT),
        caller: { source_system: read(SYSTEM) },
        approvals: read(APPROVALS),
        resource: { type: read(TYPE), id: read(RESOURCE_ID), properties: read(PROPERTIES) },
        subject: {
          id: read(SUBJECT_ID),
          actor: read(ACTOR),
          attributes: read(ATTRIBUTES),
          dropped_roles: read(DROPPED),
        },
        terms: read(TERMS),
        fields: read(FIELDS),
        search: read(SEARCH),
        approval: read(APPROVAL),
        review: read(REVIEW),
      };
    },
  };
}

/** Two generations: what was not asked for while the younger filled is forgotten. */
function createMemory(): Reader {
  let young = new Map<string, unknown>();
  let old: ReadonlyMap<string, unknown> = new Map();
  return (block, from, to) => {
    const text = block.toString('latin1', from, to);
    let value = young.get(text);
    if (value !== undefined) return value;
    value = old.get(text) ?? parsed(block, from, to);
    if (young.size >= MOST_KEPT) [old, young] = [young, new Map<string, unknown>()];
    young.set(text, value);
    return value;
  };
}

function parsed(block: Buffer, from: number, to: number): unknown {
  if (block[from] === SMALL_N) return null;
  return JSON.parse(block.toString('utf8', from, to)) as unknown;
}
