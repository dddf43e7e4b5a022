// `privity serve` with other limits of the recorder, so that tests need not wait as long as an operator may. It must differ from the
// real one in nothing else.
import { processEnvironment, readConfig } from '../../src/config.ts';
import type { RecorderLimits } from '../../src/io/log/recorder.ts';
import { startServer } from '../../src/server.ts';

const limits = JSON.parse(process.argv[2] ?? '{}') as Partial<RecorderLimits>;
const { config, problems } = readConfig(processEnvironment());
if (config === null) throw new Error(problems.join('\n'));
await startServer(config, { recorder: { limits } });
