-- The record (RECORD.md, "Schema"): payloads that can be purged, commitments that cannot, and the signed heads.
-- Runs as privity_owner, in one transaction. Never edited once released: what changes comes as a new file.

-- A guard against slips, not the protection: grants are, and the owner is an adversary whom detection handles.
create function public.refuse_change() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'the record is append-only: % on % is refused', lower(tg_op), tg_table_name
    using errcode = 'restrict_violation', hint = 'Payloads are removed by the purge function alone.';
end
$$;

create table public.decisions (
  id            uuid        not null,  -- UUIDv7; of a decision its evaluation id
  writer        uuid        not null,
  seq           bigint      not null check (seq >= 0),
  at            timestamptz not null,
  kind          text        not null check (kind in ('decision', 'refused', 'read', 'search', 'filter', 'approval', 'purge',
                                                     'policy_loaded', 'writer_opened', 'writer_closed')),
  outcome       text        check (outcome in ('allow', 'deny')),
  subject_id    text,
  actor_id      text,
  caller        text,
  source_system text,
  action        text,
  resource_type text,
  resource_id   text,
  matter_id     text,
  client_id     text,
  decided_by    text[]      not null,
  walls         text[]      not null,
  grants        text[]      not null,
  obligations   text[]      not null,
  revision      text,
  request_id    text,
  bytes         bytea       not null,  -- canonical JSON (RFC 8785); all columns above are copies of what it says
  primary key (id, writer)             -- both, so that Citus can distribute by writer
) partition by range (id);

-- Records of 2 to 4 KB are read whole and compress badly beside their cost: kept in the row, as they are
-- (ensure_partitions raises toast_tuple_target), and moved out, never compressed, only beyond that.
alter table public.decisions alter column bytes set storage external;

-- Ascending although read newest first: a scan goes either way, and rows arrive in ascending order, which splits pages well.
create index decisions_subject on public.decisions (subject_id, id) where subject_id is not null;
create index decisions_matter on public.decisions (matter_id, id) where matter_id is not null;

create trigger guard before update or delete or truncate on public.decisions
  for each statement execute function public.refuse_change();

-- What proves a record. Says nothing about anyone, and stays when the payload goes.
create table public.commitments (
  writer uuid   not null,
  seq    bigint not null check (seq >= 0),
  hash   bytea  not null check (octet_length(hash) = 32),
  primary key (writer, seq)
);
create trigger guard before update or delete or truncate on public.commitments
  for each statement execute function public.refuse_change();

-- The last record of every committed batch, signed with its writer's key.
create table public.heads (
  writer    uuid   not null,
  seq       bigint not null check (seq >= 0),
  hash      bytea  not null check (octet_length(hash) = 32),
  signature bytea  not null check (octet_length(signature) = 64),
  primary key (writer, seq)
);
create trigger guard before update or delete or truncate on public.heads
  for each statement execute function public.refuse_change();

-- Makes the partitions of the month that holds `from_time` and of the `months_ahead` months after it, and returns those it
-- made. There is no default partition: what fits nowhere is refused, and the service then denies. A partition is created on
-- its own and then attached, which holds up nobody who is writing.
create function public.ensure_partitions(from_time timestamptz, months_ahead integer) returns setof text
  language plpgsql
  security definer
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
as $$
declare
  month_start timestamptz;
  part        text;
  lower_id    uuid;
  upper_id    uuid;
begin
  if from_time is null or from_time not between '2020-01-01' and '2120-01-01' then
    raise exception 'partitions are made for months from 2020 to 2120, not for %', from_time using errcode = 'invalid_parameter_value';
  end if;
  if months_ahead is null or months_ahead not between 0 and 24 then
    raise exception 'partitions are made for 0 to 24 months ahead, not %', months_ahead using errcode = 'invalid_parameter_value';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('privity.partitions', 0));
  for step in 0 .. months_ahead loop
    month_start := date_trunc('month', from_time) + make_interval(months => step);
    part := 'decisions_' || to_char(month_start, 'YYYY_MM');
    continue when exists (
      select from pg_inherits where inhparent = 'public.decisions'::regclass and inhrelid = to_regclass('public.' || part));
    if to_regclass('public.' || part) is not null then
      raise exception 'table % exists but is not attached to decisions', part
        using errcode = 'object_not_in_prerequisite_state', hint = 'Attach it again, or rename it, and start once more.';
    end if;
    -- A UUIDv7 starts with its milliseconds since 1970 in 48 bits (RFC 9562, 5.7).
    lower_id := (lpad(to_hex((extract(epoch from month_start) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
    upper_id := (lpad(to_hex((extract(epoch from month_start + interval '1 month') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
    execute format('create table public.%I (like public.decisions including constraints including storage including indexes)', part);
    execute format('alter table public.%I set (toast_tuple_target = 8160, autovacuum_freeze_min_age = 0)', part);
    -- Guards that the parent does not carry (Citus takes no triggers) its partitions do not get either.
    if exists (select from pg_trigger where tgrelid = 'public.decisions'::regclass and tgname = 'guard') then
      execute format('create trigger guard before update or delete or truncate on public.%I '
                     'for each statement execute function public.refuse_change()', part);
    end if;
    execute format('alter table public.decisions attach partition public.%I for values from (%L) to (%L)', part, lower_id, upper_id);
    return next part;
  end loop;
end
$$;
revoke execute on function public.ensure_partitions(timestamptz, integer) from public;

-- The writer appends. It reads back ids, sequences and hashes, never what a record says.
grant insert, select (id, writer, seq) on public.decisions to privity_writer;
grant insert, select on public.commitments to privity_writer;
grant insert, select (writer, seq, hash) on public.heads to privity_writer;
grant execute on function public.ensure_partitions(timestamptz, integer) to privity_writer;

grant select on public.decisions, public.commitments, public.heads to privity_reader;
grant select on public.commitments, public.heads to privity_sealer;
