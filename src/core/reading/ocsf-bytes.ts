// Writes everyday records as OCSF events straight from their bytes. It must never write another event than ocsf.ts makes.
import { ACTIVITIES, OCSF_VERSION } from './ocsf.ts';
import type { LineBytes } from './line-bytes.ts';
import { type Place, placeOf, type RecordSpans } from './record-spans.ts';

export interface OcsfBytes {
  /** Without the line feed. False: this one is left to ocsf.ts. */
  write(line: LineBytes, id: string, block: Buffer, spans: RecordSpans): boolean;
}

const AT = placeOf('at');
const KIND = placeOf('kind');
const SEQ = placeOf('seq');
const WRITER = placeOf('writer');
const OUTCOME = placeOf('outcome');
const SUBJECT = placeOf('subject.id');
const ACTOR = placeOf('subject.actor');
const CALLER = placeOf('caller.id');
const SYSTEM = placeOf('caller.source_system');
const ACTION = placeOf('action');
const TYPE = placeOf('resource.type');
const RESOURCE = placeOf('resource.id');
const MATTER = placeOf('matter');
const CLIENT = placeOf('client');
const DECIDED_BY = placeOf('decided_by');
const WALLS = placeOf('walls');
const GRANTS = placeOf('grants');
const OBLIGATIONS = placeOf('obligations');
const REVISION = placeOf('policy.revision');
const REQUEST = placeOf('request_id');
const QUOTE = 0x22;
const MINUS = 0x2d;
const OTHER = 99;
const ALERT = Buffer.from('"alert:');
const CLASS = '"category_uid":6,"class_uid":6003,"type_uid":';

const part = (text: string): Buffer => Buffer.from(text);
const NULL = part('null');
const NO_LIST = part('[]');
const PRIVITY = part('"privity"');
const COMMA = part(',');
const CORRELATION = part('","correlation_uid":');
const NO_CORRELATION = part('"');
const SEQUENCE = part(',"sequence":');
const LOG_NAME = part(',"log_name":');
const ACTOR_BEGINS = part('},"actor":{');
const USER = part('"user":{"uid":');
const USER_ENDS = part('},');
const APP = part('"app_uid":');
const AUTHORIZATIONS = part(',"authorizations":[');
const DECISION = part('{"decision":');
const POLICY = part(',"policy":{"uid":');
const NAME = part(',"name":');
const VERSION = part(',"version":');
const POLICY_ENDS = part('}}');
const LIST_ENDS = part(']');
const SOURCE = part('},"src_endpoint":{"svc_name":');
const UID = part(',"uid":');
const API = part('},"api":{"operation":');
const SERVICE = part(',"service":{"name":"Privity"}');
const REQUEST_UID = part(',"request":{"uid":');
const OBJECT_ENDS = part('}');
const RESOURCES = part(',"resources":[{"uid":');
const OF_TYPE = part(',"type":');
const RESOURCES_END = part('}]');
const UNMAPPED = part(',"unmapped":{"matter":');
const ITS_CLIENT = part(',"client":');
const ITS_WALLS = part(',"walls":');
const ITS_GRANTS = part(',"grants":');
const ITS_OBLIGATIONS = part(',"obligations":');
const ITS_WRITER = part(',"writer":');

/** @param version of Privity */
export function createOcsfBytes(version: string): OcsfBytes {
  const product = `"product":{"name":"Privity","vendor_name":"Privity","version":${JSON.stringify(version)}}`;
  /** By whether it is an alert, then by whether it was denied. */
  const verdicts = [1, 2, 3, 3].map((severity, index) => {
    const status = index % 2 === 1 ? '"status_id":1,"action_id":2,"disposition_id":2' : STATUS_ALLOWED;
    const metadata = `"metadata":{"version":"${OCSF_VERSION}",${product},"profiles":["security_control"],"uid":"`;
    return part(`,"severity_id":${severity},${status},"is_alert":${index >= 2},${metadata}`);
  });
  const begins = new Map([...ACTIVITIES].map(([name, id]) => [name, part(`{"activity_id":${id},${typeOf(id)}`)]));
  const otherBegins = part(`{"activity_id":${OTHER},"activity_name":`);
  const otherType = part(`,${typeOf(OTHER)}`);

  // Of the record that is being written: nothing is made for each.
  let line: LineBytes;
  let block: Buffer;
  let spans: RecordSpans;
  const has = (place: Place): boolean => spans.from(place) >= 0 && block[spans.from(place)] === QUOTE;
  const copy = (place: Place): void => line.copy(block, spans.from(place), spans.to(place));
  const put = (name: Buffer, place: Place): void => {
    line.put(name);
    copy(place);
  };
  const list = (name: Buffer, place: Place): void => {
    line.put(name);
    if (spans.from(place) < 0) line.put(NO_LIST);
    else copy(place);
  };
  const orNull = (name: Buffer, place: Place): void => {
    line.put(name);
    if (has(place)) copy(place);
    else line.put(NULL);
  };

  return {
    write(itsLine, id, itsBlock, itsSpans) {
      line = itsLine;
      block = itsBlock;
      spans = itsSpans;
      const at = spans.text(AT);
      if (at === null) return false;
      const operation = has(ACTION) ? ACTION : KIND;
      line.begin();
      const begin = begins.get(spans.text(ACTION) ?? '');
      if (begin === undefined) put(otherBegins, operation);
      line.put(begin ?? otherType);
      const time = Date.parse(at);
      line.ascii(Number.isNaN(time) ? 'null' : String(time));
      const isDenied = spans.text(OUTCOME) === 'deny';
      line.put(verdicts[(isAlert(block, spans) ? 2 : 0) + (isDenied ? 1 : 0)] ?? NULL);
      line.ascii(id);
      if (has(REQUEST)) put(CORRELATION, REQUEST);
      else line.put(NO_CORRELATION);
      if (isNumber(block[spans.from(SEQ)] ?? 0)) put(SEQUENCE, SEQ);
      put(LOG_NAME, KIND);

      line.put(ACTOR_BEGINS);
      if (has(SUBJECT)) {
        put(USER, SUBJECT);
        line.put(USER_ENDS);
      }
      line.put(APP);
      if (has(ACTOR)) copy(ACTOR);
      else if (has(CALLER)) copy(CALLER);
      else line.put(PRIVITY);
      if (has(OUTCOME)) writeAuthorizations(line, block, spans, has(REVISION));

      line.put(SOURCE);
      if (has(SYSTEM)) copy(SYSTEM);
      else if (has(CALLER)) copy(CALLER);
      else line.put(PRIVITY);
      if (has(CALLER)) put(UID, CALLER);
      put(API, operation);
      line.put(SERVICE);
      if (has(REQUEST)) {
        put(REQUEST_UID, REQUEST);
        line.put(OBJECT_ENDS);
      }
      line.put(OBJECT_ENDS);
      if (has(RESOURCE)) {
        put(RESOURCES, RESOURCE);
        if (has(TYPE)) put(OF_TYPE, TYPE);
        line.put(RESOURCES_END);
      }
      orNull(UNMAPPED, MATTER);
      orNull(ITS_CLIENT, CLIENT);
      list(ITS_WALLS, WALLS);
      list(ITS_GRANTS, GRANTS);
      list(ITS_OBLIGATIONS, OBLIGATIONS);
      orNull(ITS_WRITER, WRITER);
      line.put(POLICY_ENDS);
      return true;
    },
  };
}

const STATUS_ALLOWED = '"status_id":1,"action_id":1,"disposition_id":1';

function typeOf(activity: number): string {
  return `${CLASS}${6003 * 100 + activity},"time":`;
}

function isNumber(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === MINUS;
}

function writeAuthorizations(line: LineBytes, block: Buffer, spans: RecordSpans, isVersioned: boolean): void {
  line.put(AUTHORIZATIONS);
  eachText(block, spans, DECIDED_BY, (from, to, index) => {
    if (index > 0) line.put(COMMA);
    line.put(DECISION);
    line.copy(block, spans.from(OUTCOME), spans.to(OUTCOME));
    line.put(POLICY);
    line.copy(block, from, to);
    line.put(NAME);
    line.copy(block, from, to);
    if (isVersioned) {
      line.put(VERSION);
      line.copy(block, spans.from(REVISION), spans.to(REVISION));
    }
    line.put(POLICY_ENDS);
  });
  line.put(LIST_ENDS);
}

function isAlert(block: Buffer, spans: RecordSpans): boolean {
  let isFound = false;
  eachText(block, spans, OBLIGATIONS, (from) => {
    if (block.compare(ALERT, 0, ALERT.length, from, from + ALERT.length) === 0) isFound = true;
  });
  return isFound;
}

/** Of a list of texts without escapes, with their quotes. */
function eachText(
  block: Buffer,
  spans: RecordSpans,
  place: Place,
  take: (from: number, to: number, index: number) => void,
): void {
  const end = spans.to(place) - 1;
  if (spans.from(place) < 0) return;
  let index = 0;
  for (let from = spans.from(place) + 1; from < end; index++) {
    const to = block.indexOf(QUOTE, from + 1) + 1;
    take(from, to, index);
    from = to + 1;
  }
}
