-- compatible-with: 000005
-- The inner nodes of the tree (C2SP tlog-tiles): roots and proofs read a few hundred hashes, however long the log is. Whoever
-- verifies computes them anew from the leaves.

create table public.tree_nodes (
  level      smallint not null check (level >= 1),       -- each stands for 256 ^ level leaves
  node_index bigint   not null check (node_index >= 0),
  hash       bytea    not null check (octet_length(hash) = 32),
  primary key (level, node_index)
);
create trigger guard before update or delete or truncate on public.tree_nodes
  for each statement execute function public.refuse_change();

grant insert, select on public.tree_nodes to privity_sealer;
grant select on public.tree_nodes to privity_reader;
