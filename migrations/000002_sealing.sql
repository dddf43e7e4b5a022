-- Sealing (RECORD.md, "Sealing"): the leaves of the RFC 9162 tree in their final order, and its signed checkpoints.

create table public.leaves (
  leaf_index bigint not null primary key check (leaf_index >= 0),
  writer     uuid   not null,
  seq        bigint not null check (seq >= 0),
  hash       bytea  not null check (octet_length(hash) = 32),
  unique (writer, seq)
);
create trigger guard before update or delete or truncate on public.leaves
  for each statement execute function public.refuse_change();

create table public.checkpoints (
  size bigint      not null primary key check (size >= 0),
  root bytea       not null check (octet_length(root) = 32),
  note text        not null,  -- the signed note (C2SP tlog-checkpoint), as published
  at   timestamptz not null
);
create trigger guard before update or delete or truncate on public.checkpoints
  for each statement execute function public.refuse_change();

grant insert, select on public.leaves, public.checkpoints to privity_sealer;
grant select on public.leaves, public.checkpoints to privity_reader;
