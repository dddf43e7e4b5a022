// Gives verbs the settings of the environment. It must never let a verb run on settings that are wrong.
import { processEnvironment, readConfig } from '../../config.ts';
import type { Config } from '../../environment.ts';
import { UsageError } from './verb.ts';

/** @throws UsageError with every problem */
export function readSettings(): Config {
  const { config, problems } = readConfig(processEnvironment());
  if (config === null) throw new UsageError('the configuration is wrong', undefined, problems);
  return config;
}
