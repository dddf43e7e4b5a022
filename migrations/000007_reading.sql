-- compatible-with: 000006
-- What filters of the log lead along, newest or oldest first (io/reports/search.ts). Filters without an index of their own are
-- looked at row by row, a bounded number at a time: they are either common (outcome, action, caller) or go with one of these.
-- On the parent alone, which looks at no row: `privity migrate` then builds each on the partitions that are there, beside whoever
-- writes (io/db/partition-indexes.ts), and partitions to come are made with them.

create index decisions_resource on only public.decisions (resource_id, id) where resource_id is not null;
create index decisions_client on only public.decisions (client_id, id) where client_id is not null;

-- Of few records each: they cost next to nothing.
create index decisions_actor on only public.decisions (actor_id, id) where actor_id is not null;
create index decisions_kind on only public.decisions (kind, id) where kind <> 'decision';
create index decisions_walls on only public.decisions (id) where walls <> '{}';
create index decisions_grants on only public.decisions (id) where grants <> '{}';
