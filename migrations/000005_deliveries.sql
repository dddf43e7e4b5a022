-- Duties of Privity (alerts, reviews) are derived from records; this only says which of them the webhook has taken.

create table public.deliveries (
  record_id uuid        not null primary key,  -- no reference: decisions has no key of one column, and payloads can be purged
  at        timestamptz not null
);
create trigger guard before update or delete or truncate on public.deliveries
  for each statement execute function public.refuse_change();

grant insert, select (record_id) on public.deliveries to privity_writer;
grant select on public.deliveries to privity_reader;

-- Records with duties are few: found without reading the others. Partitions to come get it from the table they are made like.
create index decisions_duties on public.decisions (id) where obligations <> '{}';
