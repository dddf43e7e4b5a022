// `privity serve` with other limits of the recorder, or other times of the keys, so that tests need not wait as long as an operator
// may. It must differ from the real one in nothing else.
import { processEnvironment, readConfig } from '../../src/config.ts';
import type { KeyTimes } from '../../src/io/identity/key-set.ts';
import type { RecorderLimits } from '../../src/io/log/recorder.ts';
import { startServer } from '../../src/server.ts';

interface Others {
  readonly limits?: Partial<RecorderLimits>;
  readonly keyTimes?: Partial<KeyTimes>;
}

const { limits = {}, keyTimes = {} } = JSON.parse(process.argv[2] ?? '{}') as Others;
const { config, problems } = readConfig(processEnvironment());
if (config === null) throw new Error(problems.join('\n'));
await startServer(config, { recorder: { limits }, identity: { times: keyTimes } });
