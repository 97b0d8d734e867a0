/**
 * Makes keys and people, erases people, says whose a key is. What stands for an owner is one row, which whoever makes
 * or erases anything of theirs locks first, in the order of names; then the names of people, in the order of tags.
 */
import type { SchemaName } from "../schema-name.ts";
import { readFunction, storeFunction } from "./function.ts";
import type { StoreFunction } from "./function.ts";
import { ENTER, GATE_VARIABLES, holdGate } from "./statements.ts";

const lockOwners = (schema: SchemaName): string => `
  perform from unnest(p_owners) u(name) join ${schema}.owners o on o.name = u.name order by o.name
    for no key update of o;`;

/**
 * Makes creations, one element each; no owner and no tag is in two. `p_tags` is null where there is no name, `p_kinds`
 * where there is no key.
 *
 * Answers for each in its place: `made`, `gate-moved`, `erased`, `exists`, with who has the name; or with one row for
 * all: `no-gate`, `replaced`, `newer`, `set-unknown`.
 */
export const CREATE: StoreFunction = storeFunction(
  "create_v1",
  {
    takes: `p_vault text, p_writer integer, p_lock_ms integer, p_owners text[], p_epochs bigint[],
    p_tags bytea[], p_sealed bytea[], p_kinds text[], p_versions uuid[], p_ordinals bigint[], p_generations bigint[],
    p_created bigint[], p_digests text[], p_buckets integer[], p_checks bytea[], p_wraps bytea[]`,
    returns: "TABLE(result text, epoch bigint, person text)",
  },
  (schema) => `
#variable_conflict use_column
declare${GATE_VARIABLES}
  v_wraps constant boolean := exists (select from unnest(p_kinds) k(kind) where k.kind is not null);
  v_fresh bigint[];
  v_owners bigint[];
  v_results text[];
  v_holders bigint[];
  v_named bigint;
begin${ENTER}
  ${holdGate(schema, "v_wraps", (refusal) => `return query select '${refusal}'::text, 0::bigint, null::text; return;`)}
  if exists (
    select from unnest(p_digests) d(digest)
    where d.digest is not null and not exists (
      select from ${schema}.wrap_sets w where w.digest = d.digest collate "C")
  ) then
    return query select 'set-unknown'::text, 0::bigint, null::text; return;
  end if;

  with made as (
    insert into ${schema}.owners (name)
    select u.name from unnest(p_owners, p_kinds, p_epochs) u(name, kind, epoch)
    where (u.kind is null or u.epoch = v_gate.epoch) and not exists (
      select from ${schema}.owners o where o.name = u.name)
    order by u.name collate "C"
    on conflict do nothing
    returning key)
  select array_agg(made.key) into v_fresh from made;
${lockOwners(schema)}

  select array_agg(o.key order by u.n), array_agg(coalesce(t.owner, own.owner) order by u.n), array_agg(case
      when u.kind is not null and u.epoch <> v_gate.epoch then 'gate-moved'
      when o.erased_at is not null then 'erased'
      when o.key is null then 'exists'
      when u.tag is not null and (t.owner is not null or own.owner is not null) then 'exists'
      when u.kind is not null and exists (
        select from ${schema}.keys k where k.owner = o.key and k.kind = u.kind and k.ordinal = u.ordinal) then 'exists'
      when u.kind is not null and exists (
        select from ${schema}.keys k where k.owner = o.key and k.version = u.version) then 'exists'
      else 'made' end order by u.n)
    into v_owners, v_holders, v_results
    from unnest(p_owners, p_epochs, p_tags, p_kinds, p_ordinals, p_versions) with ordinality
      u(name, epoch, tag, kind, ordinal, version, n)
    left join ${schema}.owners o on o.name = u.name
    left join ${schema}.names t on t.tag = u.tag
    left join ${schema}.names own on own.owner = o.key and u.tag is not null;

  -- Whoever gives somebody else the same name now waits here.
  insert into ${schema}.names (owner, tag, sealed)
    select u.owner, u.tag, u.sealed from unnest(v_owners, p_tags, p_sealed, v_results) u(owner, tag, sealed, result)
    where u.result = 'made' and u.tag is not null
    order by u.tag
    on conflict do nothing;
  get diagnostics v_named = row_count;
  if v_named < (select count(*) from unnest(p_tags, v_results) u(tag, result) where u.tag is not null and u.result = 'made')
  then
    select array_agg(case when u.result = 'made' and u.tag is not null and t.owner is distinct from u.owner
          then 'exists' else u.result end order by u.n),
        array_agg(coalesce(u.holder, t.owner) order by u.n)
      into v_results, v_holders
      from unnest(v_owners, p_tags, v_results, v_holders) with ordinality u(owner, tag, result, holder, n)
      left join ${schema}.names t on t.tag = u.tag;
  end if;
  insert into ${schema}.keys
    (owner, ordinal, created_at, since, generation, revision, wrap_set, bucket, kind, version, key_check, wraps)
    select u.owner, u.ordinal, u.created, u.created, u.generation, 0, s.id, u.bucket, u.kind, u.version, u.key_check, u.wraps
    from unnest(v_owners, v_results, p_ordinals, p_created, p_generations, p_digests, p_buckets, p_kinds, p_versions,
        p_checks, p_wraps)
      u(owner, result, ordinal, created, generation, digest, bucket, kind, version, key_check, wraps)
    join ${schema}.wrap_sets s on s.digest = u.digest collate "C"
    where u.kind is not null and u.result = 'made';
  if v_fresh is not null and exists (select from unnest(v_results) t(result) where t.result <> 'made') then
    delete from ${schema}.owners o where o.key = any(v_fresh) and not exists (
      select from unnest(v_owners, v_results) u(owner, result) where u.owner = o.key and u.result = 'made');
  end if;
  return query select t.result, v_gate.epoch, o.name
    from unnest(v_results) with ordinality t(result, n)
    left join ${schema}.owners o on o.key = v_holders[t.n] and t.result = 'exists' and p_tags[t.n] is not null
    order by t.n;
end`,
);

/** Erases people: only a tombstone stays. Answers `done`; or `no-gate`, `replaced`, `newer`. */
export const ERASE: StoreFunction = storeFunction(
  "erase_v1",
  {
    takes: "p_vault text, p_writer integer, p_lock_ms integer, p_owners text[], p_at bigint",
    returns: "TABLE(result text)",
  },
  (schema) => `
#variable_conflict use_column
declare${GATE_VARIABLES}
  v_owners bigint[];
begin${ENTER}
  ${holdGate(schema, "false", (refusal) => `return query select '${refusal}'::text; return;`)}
  insert into ${schema}.owners (name)
    select distinct u.name collate "C" from unnest(p_owners) u(name)
    where not exists (select from ${schema}.owners o where o.name = u.name)
    order by 1
    on conflict do nothing;
${lockOwners(schema)}
  select array_agg(o.key) into v_owners from unnest(p_owners) u(name) join ${schema}.owners o on o.name = u.name;
  update ${schema}.owners o set erased_at = p_at where o.key = any(v_owners) and o.erased_at is null;
  delete from ${schema}.failures f where f.key in (select k.key from ${schema}.keys k where k.owner = any(v_owners));
  delete from ${schema}.keys k where k.owner = any(v_owners);
  delete from ${schema}.names n where n.owner = any(v_owners);
  return query select 'done'::text;
end`,
);

/** Whose versions of keys are, in their order. */
export const OWNERS: StoreFunction = readFunction(
  "owners_v1",
  "p_versions uuid[]",
  "kind text, owner text",
  (schema) => `return query
    select k.kind, k.name from unnest(p_versions) with ordinality u(version, n)
    left join lateral (
      select k.kind, o.name from ${schema}.keys k join ${schema}.owners o on o.key = k.owner
      where k.version = u.version and o.erased_at is null limit 1) k on true
    order by u.n;`,
);
