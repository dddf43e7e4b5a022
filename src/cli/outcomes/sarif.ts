// An outcome as SARIF 2.1.0, for code scanning (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html). It must never hide that
// something was accepted, nor whose reason that was.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { below, byLevel } from './judge.ts';
import type { Outcome, OutcomeItem } from './outcome.ts';

export interface Surroundings {
  /** Relative paths of items start here. */
  readonly folder: string;
  /** The root of the repository, as far as is known: paths are told from here. */
  readonly root: string;
  /** Of Privity. */
  readonly version: string;
}

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';
const ROOT = '%SRCROOT%';

export function sarifText(outcome: Outcome, around: Surroundings): string {
  const { tool, subject, revision, summary, codes } = outcome;
  const items = outcome.items.filter(({ status }) => status === 'failed' || status === 'unreadable');
  const ids = [...new Set(items.map(({ code }) => code))].toSorted();
  const seen = new Map<string, number>();
  const run = {
    tool: {
      driver: {
        name: `Privity ${tool}`,
        semanticVersion: around.version,
        rules: ids.map((id) => descriptor(id, codes.get(id) ?? id, items)),
      },
    },
    automationDetails: { id: `privity/${tool.replaceAll(' ', '-')}/` },
    columnKind: 'utf16CodeUnits',
    originalUriBaseIds: { [ROOT]: { description: { text: 'The root of the repository.' } } },
    invocations: [{ executionSuccessful: true }],
    results: items.map((item) => resultOf(item, ids.indexOf(item.code), seen, around)),
    properties: { subject, revision, summary },
  };
  return JSON.stringify({ $schema: SCHEMA, version: '2.1.0', runs: [run] }, null, 2);
}

function descriptor(id: string, meaning: string, items: readonly OutcomeItem[]): object {
  const [heaviest] = byLevel(items.filter(({ code }) => code === id));
  return {
    id,
    shortDescription: { text: meaning },
    fullDescription: { text: meaning },
    help: { text: meaning },
    defaultConfiguration: { level: heaviest?.level ?? 'warning' },
  };
}

function resultOf(item: OutcomeItem, ruleIndex: number, seen: Map<string, number>, around: Surroundings): object {
  const { code, level, message, details, hint, accepted } = item;
  const lines = [message, ...details, ...(hint === null ? [] : [hint])];
  return {
    ruleId: code,
    ruleIndex,
    level,
    message: { text: messageText(lines.join('\n')) },
    ...(item.file === null ? {} : { locations: [{ physicalLocation: placeOf(item, item.file, around) }] }),
    partialFingerprints: { 'privityFinding/v1': fingerprint(item, seen, around) },
    ...(accepted === null
      ? {}
      : { suppressions: [{ kind: 'inSource', status: 'accepted', justification: accepted.toWellFormed() }] }),
  };
}

/** Section 3.11.5 doubles braces; section 3.11.6 takes what looks like a link for one. */
function messageText(text: string): string {
  return text.toWellFormed().replaceAll(/[{}]/g, '$&$&').replaceAll('](', '] (');
}

function placeOf({ line, column }: OutcomeItem, file: string, around: Surroundings): object {
  const region =
    line === null ? {} : { region: { startLine: line, ...(column === null ? {} : { startColumn: column }) } };
  return { artifactLocation: artifact(file, around), ...region };
}

function artifact(file: string, { folder, root }: Surroundings): object {
  const relative = below(root, folder, file.toWellFormed());
  if (relative === null) return { uri: pathToFileURL(path.resolve(folder, file.toWellFormed())).href };
  return { uri: relative.split('/').map(encodeURIComponent).join('/'), uriBaseId: ROOT };
}

/** The same for as long as what was found is the same, wherever it moves within its file. */
function fingerprint({ code, file, name }: OutcomeItem, seen: Map<string, number>, around: Surroundings): string {
  const place = file === null ? '' : (below(around.root, around.folder, file) ?? file);
  const identity = JSON.stringify([code, place, name.replaceAll(/:\d+(:\d+)?/g, '')]);
  const count = (seen.get(identity) ?? 0) + 1;
  seen.set(identity, count);
  return createHash('sha256').update(`${identity}#${count}`).digest('hex').slice(0, 32);
}
