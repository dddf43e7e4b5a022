// A later version answers what an earlier one was asked: every recorded interaction is replayed against a fresh service, and no status,
// header or member may be gone or of another type. Additions are welcome. `PRIVITY_RECORD=new` records entries without an answer,
// `PRIVITY_RECORD=<name>` the one of that name anew: that is a change of the interface, to be stated in its release.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { parse } from 'yaml';
import { generateWriterKey } from '../../src/io/log/writer-key.ts';
import { REPOSITORY } from '../cli/privity.ts';
import { startApp, type TestApp } from '../helpers/app.ts';
import { SITE_FILES } from '../helpers/forward-site.ts';
import { scratch } from '../helpers/launch.ts';
import { createDatabase } from '../helpers/postgres.ts';
import { ask, bodyOf, headersOf, readDoors, recorded, writeDoor, type Interaction, type Said } from './interactions.ts';
import { changes, normalised, type Json } from './shape.ts';

t.setTimeout(600_000);

const RECORD = process.env['PRIVITY_RECORD'];
const UNTIL_MS = 90_000;

async function startFirm(): Promise<TestApp> {
  const { urls } = await createDatabase(t);
  const folder = await scratch(t);
  const key = path.join(folder, 'checkpoint.pem');
  await generateWriterKey(key);
  const environment = {
    PUBLIC_URL: 'https://privity.firm.example',
    DATABASE_SEALER_URL: urls.sealer,
    CHECKPOINT_KEY_FILE: key,
    CHECKPOINT_DIR: folder,
    LOG_NAME: 'log.firm.example',
  };
  return startApp(t, { urls, environment, files: SITE_FILES });
}

const firm = await startFirm();
const fixture = await startApp(t, { environment: { POLICIES_DIR: path.join(REPOSITORY, 'examples/authzen') } });
const said: Said = new Map();

async function answered(door: string, one: Interaction) {
  const rig = one.fixture === true ? fixture : firm;
  const end = Date.now() + UNTIL_MS;
  let response = await ask(rig, door, one, said);
  while (one.until !== undefined && response.statusCode !== one.until && Date.now() < end) {
    await sleep(200);
    response = await ask(rig, door, one, said);
  }
  said.set(one.name, bodyOf(response));
  return response;
}

const doors = readDoors();

t.test('every door of openapi.yaml has recorded interactions', (t) => {
  const { paths } = parse(readFileSync(path.join(REPOSITORY, 'openapi.yaml'), 'utf8')) as {
    readonly paths: Readonly<Record<string, object>>;
  };
  const all = Object.entries(paths).flatMap(([url, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${url}`),
  );
  t.strictSame(
    doors.map(({ door }) => door).toSorted(),
    all.toSorted(),
    'a new door needs a file with an entry in test/compatibility/interactions; PRIVITY_RECORD=new records its answer',
  );
  const names = doors.flatMap(({ interactions }) => interactions.map(({ name }) => name));
  t.equal(new Set(names).size, names.length, 'each name once');
  t.end();
});

for (const { file, door, interactions } of doors) {
  await t.test(door, async (t) => {
    const kept: Interaction[] = [];
    for (const one of interactions) {
      const response = await answered(door, one);
      const isNew = one.answer === undefined;
      if ((RECORD === 'new' && isNew) || RECORD === one.name) {
        kept.push({ ...one, answer: recorded(response, one) });
        continue;
      }
      kept.push(one);
      if (one.answer === undefined) {
        t.fail(`${one.name} has no answer: record it with PRIVITY_RECORD=new`);
        continue;
      }
      const { status, headers, body } = one.answer;
      const found = [
        ...(status === response.statusCode ? [] : [`the status was ${status} and is ${response.statusCode}`]),
        ...Object.entries(headers).flatMap(([name, value]) => {
          const now = headersOf(response)[name];
          return now === value ? [] : [`the header ${name} was ${value} and is ${now ?? 'gone'}`];
        }),
        ...changes(body, normalised(bodyOf(response), one.depth)),
      ];
      t.strictSame(found, [], one.name);
    }
    if (RECORD !== undefined) await writeDoor({ file, door, interactions: kept });
  });
}

t.test('the comparison sees what is gone or changed, and nothing else', (t) => {
  const was: Json = { decision: true, context: { id: '<uuid>', list: [{ a: 1, b: 'x' }], none: null } };
  t.strictSame(
    changes(was, { decision: true, context: { id: 'y', list: [{ b: '', a: 2 }, {}], none: 3, more: 1 } }),
    [],
  );
  t.strictSame(changes(was, { decision: false, context: { id: 1, list: [{ a: '1' }] } }), [
    'decision was true and is false',
    'context.id was string and is number',
    'context.list[0].a was number and is string',
    'context.list[0].b is gone',
    'context.none is gone',
  ]);
  t.strictSame(changes({ list: [1] }, { list: [] }), ['list is empty']);
  t.strictSame(changes({ a: {} }, { a: [] }), ['a was object and is list']);
  t.end();
});
