// A few documents of the example firm's matters.
import type { Document } from './documents.ts';

const OPEN = { matter_status: 'open', privileged: false } as const;
const ALDER = { ...OPEN, matter_id: 'M-1001', client_id: 'C-100' };

export const DOCUMENTS: readonly Document[] = [
  { ...ALDER, id: 'D-1', title: 'Complaint', confidentiality: 'internal', text: 'The complaint.' },
  { ...ALDER, id: 'D-2', title: 'Witness list', confidentiality: 'confidential', text: 'The witnesses.' },
  { ...ALDER, id: 'D-3', title: 'Advice', confidentiality: 'confidential', privileged: true, text: 'The advice.' },
  {
    ...OPEN,
    id: 'D-4',
    matter_id: 'M-4001',
    client_id: 'C-500',
    title: 'Patent draft',
    confidentiality: 'confidential',
    text: 'The draft.',
  },
  {
    ...OPEN,
    id: 'D-5',
    matter_id: 'M-5001',
    client_id: 'C-600',
    title: 'Research note',
    confidentiality: 'internal',
    text: 'The note.',
  },
  {
    ...OPEN,
    id: 'D-6',
    matter_id: 'M-2001',
    client_id: 'C-200',
    title: 'Term sheet',
    confidentiality: 'highly_confidential',
    text: 'The terms.',
  },
];
