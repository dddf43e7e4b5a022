// `node bench/export.ts [records] [rounds] [folder]`: how fast the service gives out its log in each format, and what a row costs. It must
// never measure anything but the process that operators run, nor count rows that did not arrive.
import path from 'node:path';
import { openLogReader, type Streamed } from './log-reading.ts';
import { openLogStand } from './log-stand.ts';
import { cpuSeconds, startService } from './processes.ts';
import { print, printMachine } from './report.ts';

const [records = 200_000, rounds = 3] = process.argv.slice(2, 4).map(Number);
const folder = process.argv[4];
const FORMATS = ['ndjson', 'csv', 'ocsf'] as const;
/** As `npm start` runs it. */
const NODE_OPTIONS = ['--max-semi-space-size=4'];

const stand = await openLogStand({ records, months: 1, matters: 2_000, people: 400, seed: 1, folder });
try {
  printMachine();
  const { postgres, home, policies, writerKeyFile } = stand;
  const service = await startService({
    environment: {
      DATABASE_URL: postgres.urls.writer,
      DATABASE_READER_URL: postgres.urls.reader,
      POLICIES_DIR: policies,
      WRITER_KEY_FILE: writerKeyFile,
      PORT: '0',
    },
    logFile: path.join(home, 'service.log'),
    nodeOptions: NODE_OPTIONS,
  });
  const reader = await openLogReader(stand, service.url);
  try {
    for (const format of FORMATS) {
      for (let round = 0; round < rounds; round++) {
        const spent = { service: cpuSeconds(service.pid), postgres: cpuSeconds(postgres.pid, true), client: ownCpu() };
        const given = await reader.export(format, null, new Date());
        const us = (seconds: number): string => `${((seconds * 1e6) / given.rows).toFixed(1)} µs`;
        const cost = [
          `service ${us(cpuSeconds(service.pid) - spent.service)}`,
          `PostgreSQL ${us(cpuSeconds(postgres.pid, true) - spent.postgres)}`,
          `client ${us(ownCpu() - spent.client)}`,
        ];
        print(`${format.padEnd(8)}${told(given)}; CPU a row: ${cost.join(', ')}`);
      }
    }
  } finally {
    reader.close();
    await service.stop();
  }
} finally {
  await stand.close();
}

function told({ rows, bytes, seconds }: Streamed): string {
  const mib = bytes / 2 ** 20 / seconds;
  return `${Math.round(rows / seconds).toLocaleString('en-US')} rows/s, ${mib.toFixed(0)} MiB/s, ${rows.toLocaleString('en-US')} rows`;
}

function ownCpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
