import t from 'tap';
import { isPartitionMissing, judgeFailure } from '../../../src/io/log/failure.ts';

function databaseError(code: string, details: Readonly<Record<string, string>> = {}): Error {
  return Object.assign(new Error('it failed'), { code, severity: 'ERROR', ...details });
}

t.test('nothing is called rolled back that may be committed', async (t) => {
  const unknown = [
    new Error('Connection terminated unexpectedly'),
    Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }),
    'not an error',
    databaseError('57P01'),
    databaseError('57P02'),
    databaseError('08006'),
    databaseError('25P04'),
    databaseError('26000'),
    databaseError('53100', { severity: 'FATAL' }),
    databaseError('XX000', { severity: 'PANIC' }),
  ];
  for (const error of unknown) t.equal(judgeFailure(error).fate, 'unknown');
});

t.test('what was rolled back is told apart by what has to follow', async (t) => {
  const fates = {
    transient: ['40001', '40P01', '55P03', '57014'],
    data: ['22021', '22P03', '23502', '23505', '23514', '54000'],
    resource: ['53100', '53200', '25006', '42501', '42P01', '58030', 'XX001', 'P0001'],
  } as const;
  for (const [fate, codes] of Object.entries(fates)) {
    for (const code of codes) t.same(judgeFailure(databaseError(code)), { fate, code });
  }
  t.equal(judgeFailure(databaseError('23505', { table: 'commitments' })).fate, 'taken');
  t.equal(judgeFailure(databaseError('23505', { table: 'heads' })).fate, 'taken');
  t.equal(judgeFailure(databaseError('23505', { table: 'decisions_2026_03' })).fate, 'data');
  t.ok(isPartitionMissing({ fate: 'data', code: '23514' }));
});
