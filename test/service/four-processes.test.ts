// Four processes of the service on one database, each asked by many at once, every request about another person, document and id: no
// answer may hold anything of another request, and the four chains verify; also when all of them lose the database on the way, and, in
// spool mode, answer from journals of their own meanwhile.
import t from 'tap';
import { limitsFor, modes, settingsFor } from '../helpers/modes.ts';
import { createDatabase } from '../helpers/postgres.ts';
import { startProxy } from '../helpers/proxy.ts';
import { PATIENT, type Readiness, startService, whenReadiness } from '../helpers/service.ts';
import { createFirm } from '../helpers/service-firm.ts';
import { type Attempt, decisionsOf } from './exchange.ts';
import { judge } from './judge.ts';
import { startLoad } from './load.ts';
import { readServiceLog } from './log.ts';
import { createRandom, type Random } from './random.ts';

const isLong = process.env['PRIVITY_LONG'] === '1';
const ANSWERS = isLong ? 40_000 : 1_600;
const PROCESSES = 4;
const CLIENTS = 32;
const PEOPLE = 400;
const LIMIT_MS = isLong ? 3600_000 : 600_000;

/** What every second person, every third and so on may not do, so that an answer to another's question would show. */
const isOnTeam = (person: number): boolean => person % 3 !== 0;
const isWalledOff = (person: number): boolean => person % 5 === 0;
const idOf = (person: number): string => `u-crowd-${person}`;
const people = Array.from({ length: PEOPLE }, (_, person) => person);

const CROWD = {
  'data/crowd.yaml': JSON.stringify({
    matters: [
      {
        id: 'M-CROWD',
        client_id: 'C-CROWD',
        practice_group: 'litigation',
        responsible_attorney: 'u-okafor',
        team: people.filter(isOnTeam).map(idOf),
      },
    ],
  }),
  'walls/crowd.yaml': JSON.stringify({
    walls: [
      {
        id: 'W-CROWD',
        kind: 'exclusion',
        reason: 'former_client',
        matter_id: 'M-CROWD',
        excluded_people: people.filter(isWalledOff).map(idOf),
      },
    ],
  }),
};

/** Their absence is listed in the answer, another one for each request. */
const OMITTED = ['matter_status', 'confidentiality', 'privileged', 'work_product', 'phi', 'export_controlled'];

t.setTimeout(LIMIT_MS);

for (const mode of modes())
  t.test(`no answer holds anything of another request (${mode})`, async (t) => {
    t.setTimeout(LIMIT_MS);
    const random = createRandom(isLong ? Date.now() % 2 ** 31 : 20_260_310);
    const database = await createDatabase(t);
    const firm = await createFirm(t, CROWD);
    const proxy = await startProxy(t, database.urls.writer, 'write_batch');
    const urls = { writer: proxy.url(database.urls.writer), reader: database.urls.reader };
    const limits = limitsFor(mode, PATIENT);
    const services = await Promise.all(
      Array.from({ length: PROCESSES }, async () =>
        startService(t, { urls, firm, limits, environment: await settingsFor(t, mode) }),
      ),
    );
    const bearer = firm.callerToken('dms');
    const next = createAsker(random, bearer, (person) => firm.subjectToken('dms', person));
    const load = startLoad(t, { urls: services.map(({ url }) => url), clients: CLIENTS, random, next });
    await load.more(ANSWERS / 2);
    proxy.cut(mode === 'spool');
    const isSpooling = (seen: Readiness | null): boolean => seen?.degraded.includes('spooling') === true;
    if (mode === 'spool') for (const service of services) await whenReadiness(service, 'spooling', isSpooling);
    await load.more(ANSWERS / 2);
    proxy.restore();
    await load.stop();
    for (const service of services) await whenReadiness(service, 'drained', (seen) => !isSpooling(seen));
    await Promise.all(services.map((service) => service.kill()));

    t.strictSame(
      load.exchanges.filter(({ answer }) => answer?.status !== 200).map(({ answer }) => answer?.body),
      [],
    );
    const log = await readServiceLog(database.superuserUrl, firm.certifier);
    t.strictSame(judge(load.exchanges, log), []);
    t.equal(log.writers.length, PROCESSES);
    const decisions = load.exchanges.flatMap(decisionsOf);
    const shares = Map.groupBy(
      log.records.filter(({ kind }) => kind === 'decision'),
      ({ writer }) => writer,
    );
    t.ok(
      [...shares.values()].every((records) => records.length > decisions.length / PROCESSES / 4),
      'every process took its part',
    );
    t.comment(
      `${load.exchanges.length} requests, ${decisions.length} decisions answered, ${log.records.length} records`,
    );
  });

/** Every request about another person until all had their turn; batches of one person about several documents among them. */
function createAsker(random: Random, bearer: string, mint: (person: string) => string): () => Attempt {
  const tokens = new Map<string, string>();
  let asked = 0;
  return () => {
    const number = (asked += 1);
    const person = number % PEOPLE;
    const id = idOf(person);
    const isFresh = random.below(2) === 0;
    const token = isFresh ? mint(id) : (tokens.get(id) ?? mint(id));
    tokens.set(id, token);
    const isBatch = random.below(4) === 0;
    const wire = Array.from({ length: isBatch ? 1 + random.below(8) : 1 }, (_, index) => {
      const omitted = random.below(2) === 0 ? undefined : random.pick(OMITTED);
      return { omitted, body: question(`D-${number}-${index}`, omitted) };
    });
    const questions = wire.map(({ omitted, body }) => ({
      person: id,
      action: body.action.name,
      type: body.resource.type,
      id: body.resource.id,
      // Only the absence of what some rule asks for on a read makes a difference.
      expect: omitted === undefined ? isOnTeam(person) && !isWalledOff(person) : isWalledOff(person) ? false : null,
    }));
    const [first] = wire;
    return {
      requestId: `crowd-${number}`,
      method: 'POST',
      path: isBatch ? '/v1/authorize/batch' : '/v1/authorize',
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        subject_token: token,
        ...(isBatch ? { evaluations: wire.map(({ body }) => body) } : first?.body),
      }),
      leaves: 'decisions',
      caller: 'dms',
      questions,
      statuses: [200],
    };
  };
}

function question(id: string, omitted: string | undefined) {
  const properties: Record<string, unknown> = {
    matter_id: 'M-CROWD',
    client_id: 'C-CROWD',
    matter_status: 'open',
    confidentiality: 'confidential',
    privileged: false,
    work_product: false,
    work_product_internal: false,
    phi: false,
    pii: false,
    export_controlled: false,
  };
  if (omitted !== undefined) delete properties[omitted];
  const context = { network_zone: 'office', device_managed: true, bulk_count: 1, recent_downloads: 0, country: 'US' };
  return { action: { name: 'read' }, resource: { type: 'document', id, properties }, context };
}
