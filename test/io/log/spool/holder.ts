// A process of its own that opens a journal and stays: says `open` or why not.
import { openJournal } from '../../../../src/io/log/spool/journal.ts';

try {
  await openJournal(process.argv[2] ?? '', 2 ** 20);
  console.log('open');
  setInterval(() => undefined, 1_000);
} catch (error) {
  console.log(String(error));
}
