// tap runs this after the last test file, passed or failed: it ends the run's shared PostgreSQL, if there was one.
import { stopSharedServer } from './shared-postgres.ts';

await stopSharedServer(process.ppid);
