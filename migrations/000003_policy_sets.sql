-- Every policy set that ever decided, by revision, so that a decision can be replayed from the database alone.

create table public.policy_blobs (
  hash    bytea not null primary key check (octet_length(hash) = 32),  -- SHA-256 of the content before compression
  content bytea not null                                               -- compressed by the service
);
alter table public.policy_blobs alter column content set storage external;
create trigger guard before update or delete or truncate on public.policy_blobs
  for each statement execute function public.refuse_change();

create table public.policy_sets (
  revision text        not null primary key,
  commit   text,                  -- of git, where the policies come from a checkout
  manifest jsonb       not null,  -- path -> hash of its blob
  at       timestamptz not null
);
create trigger guard before update or delete or truncate on public.policy_sets
  for each statement execute function public.refuse_change();

-- The keys, to find out what is kept already.
grant insert, select (hash) on public.policy_blobs to privity_writer;
grant insert, select (revision) on public.policy_sets to privity_writer;
grant select on public.policy_blobs, public.policy_sets to privity_reader;
