-- compatible-with: 000006
-- Payloads whose retention has ended (RECORD.md, "Schema"): removed by this function alone, after the record that says so. What
-- proves them, the commitments and leaves, stays.

-- As before, but for the purge function, which says so for the length of its own statement.
create or replace function public.refuse_change() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' and tg_relid = 'public.decisions'::regclass and current_setting('privity.purge', true) = 'on' then
    return null;
  end if;
  raise exception 'the record is append-only: % on % is refused', lower(tg_op), tg_table_name
    using errcode = 'restrict_violation', hint = 'Payloads are removed by the purge function alone.';
end
$$;

-- Deletes the payloads that a committed purge record names, and no others: not those of matters and clients on hold, by the record's
-- own word or by that of now. Again and again gives the same.
create function public.purge_payloads(purge_id uuid, held_matters text[], held_clients text[]) returns bigint
  language plpgsql
  security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  said    jsonb;
  removed bigint;
begin
  select convert_from(d.bytes, 'UTF8')::jsonb into said
    from public.decisions d
    join public.commitments c on c.writer = d.writer and c.seq = d.seq
   where d.id = purge_id and d.kind = 'purge' and c.hash = sha256('\x00'::bytea || d.bytes);
  if said is null or said ->> 'kind' is distinct from 'purge' or said ->> 'id' is distinct from purge_id::text then
    raise exception 'there is no committed purge record %', purge_id
      using errcode = 'restrict_violation', hint = 'Payloads go only after the record that says so: use `privity audit purge`.';
  end if;
  select held_matters || coalesce(array_agg(one), '{}') into held_matters
    from jsonb_array_elements_text(said #> '{held,matters}') as one;
  select held_clients || coalesce(array_agg(one), '{}') into held_clients
    from jsonb_array_elements_text(said #> '{held,clients}') as one;
  perform set_config('privity.purge', 'on', true);
  with places as (
    select writer.key::uuid as writer,
           (select range_agg(int8range((one ->> 0)::bigint, (one ->> 1)::bigint, '[]')) from jsonb_array_elements(writer.value) as one) as seqs
      from jsonb_each(said -> 'purged') as writer
  )
  delete from public.decisions d using places p
   where d.id between (said #>> '{ids,from}')::uuid and (said #>> '{ids,to}')::uuid
     and d.writer = p.writer and d.seq <@ p.seqs
     and d.kind in ('decision', 'refused', 'read', 'search', 'filter', 'approval')
     and (d.matter_id is null or d.matter_id <> all (held_matters))
     and (d.client_id is null or d.client_id <> all (held_clients));
  get diagnostics removed = row_count;
  perform set_config('privity.purge', '', true);
  return removed;
end
$$;
-- The owner's alone: whoever may run it has been approved by two people, as the record says.
revoke execute on function public.purge_payloads(uuid, text[], text[]) from public;
