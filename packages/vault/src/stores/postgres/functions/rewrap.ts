/**
 * Puts new wraps in the place of old ones: a version's message, or the wraps of a key.
 */
import type { SchemaName } from "../schema-name.ts";
import { storeFunction } from "./function.ts";
import type { StoreFunction } from "./function.ts";
import { ENTER, GATE_VARIABLES, holdEpoch, holdLease, ONE_VERSION } from "./statements.ts";

/**
 * Answers `made`, `overtaken`, `gate-moved`; or `no-gate`, `replaced`, `newer`, `set-unknown`. The row of the lease is
 * locked first.
 *
 * @param parts what of the arguments names the row and what it becomes, the update that sets `v_key`, and which
 *   failures are forgotten then
 */
const rewrapFunction = (
  name: string,
  parts: {
    readonly place: string;
    readonly change: string;
    readonly update: (schema: SchemaName) => string;
    readonly failures: string;
  },
): StoreFunction =>
  storeFunction(
    name,
    {
      takes: `p_vault text, p_writer integer, p_lock_ms integer, p_epoch bigint,
    ${parts.place}, p_seen_set integer, p_seen_revision bigint,
    p_digest text, p_at bigint, ${parts.change}, p_job text, p_partition text, p_fence bigint`,
      returns: "TABLE(result text, epoch bigint)",
    },
    (schema) => `
#variable_conflict use_column
declare${GATE_VARIABLES}${ONE_VERSION}
begin${ENTER}
  ${holdEpoch(schema)}${holdLease(schema)}
${parts.update(schema)}
  if v_key is null then return query select 'overtaken'::text, v_gate.epoch; return; end if;
  delete from ${schema}.failures f where ${parts.failures};
  return query select 'made'::text, v_gate.epoch;
end`,
  );

export const REWRAP: StoreFunction = rewrapFunction("rewrap_v1", {
  place: "p_collection text, p_id text, p_version bigint",
  change: "p_message bytea",
  update: (schema) => `  update ${schema}.versions v
    set wrap_set = v_set, since = p_at, message = coalesce(p_message, v.message),
      revision = v.revision + case when p_message is null then 0 else 1 end
    from ${schema}.records r
    where r.collection = p_collection and r.id = p_id and v.record = r.key and v.version = p_version
      and v.wrap_set = p_seen_set and v.revision = p_seen_revision
    returning v.record into v_key;`,
  failures: "f.record = v_key and f.version = p_version",
});

/**
 * As the first; where `p_keeps` says so, the message that is replaced is kept, unless one is kept of the version
 * already: the oldest is the one of the keys that are left. The version's row is locked first, so that it is its
 * message.
 */
export const REWRAP_2: StoreFunction = rewrapFunction("rewrap_v2", {
  place: "p_collection text, p_id text, p_version bigint",
  change: "p_message bytea, p_keeps boolean",
  update: (
    schema,
  ) => `  select v.record into v_key from ${schema}.records r join ${schema}.versions v on v.record = r.key
    where r.collection = p_collection and r.id = p_id and v.version = p_version
      and v.wrap_set = p_seen_set and v.revision = p_seen_revision
    for no key update of v;
  if v_key is not null and p_keeps and p_message is not null then
    insert into ${schema}.kept (record, version, wrap_set, bucket, message)
      select v.record, v.version, v.wrap_set, v.bucket, v.message
      from ${schema}.versions v where v.record = v_key and v.version = p_version
      on conflict do nothing;
  end if;
  update ${schema}.versions v
    set wrap_set = v_set, since = p_at, message = coalesce(p_message, v.message),
      revision = v.revision + case when p_message is null then 0 else 1 end
    where v.record = v_key and v.version = p_version;`,
  failures: "f.record = v_key and f.version = p_version",
});

/** `more`: further columns that are set, and what must hold. */
const setWraps = (
  schema: SchemaName,
  more: { readonly set: string; readonly where: string },
): string => `  update ${schema}.keys k
    set wrap_set = v_set, since = p_at, wraps = coalesce(p_wraps, k.wraps),
      generation = coalesce(p_generation, k.generation), key_check = coalesce(p_check, k.key_check),
      revision = k.revision + case when p_wraps is null then 0 else 1 end${more.set}
    from ${schema}.owners o
    where o.name = p_owner and k.owner = o.key and k.kind = p_kind and k.version = p_version
      and k.wrap_set = p_seen_set and k.revision = p_seen_revision${more.where}
    returning k.key into v_key;`;

/** Of a key. `p_generation` and `p_check` are null when they stay. */
export const REWRAP_KEY: StoreFunction = rewrapFunction("rewrap_key_v1", {
  place: "p_kind text, p_owner text, p_version uuid",
  change: "p_wraps bytea, p_generation bigint, p_check bytea",
  update: (schema) => setWraps(schema, { set: "", where: "" }),
  failures: "f.key = v_key",
});

/**
 * As the first; where `p_new_kind` is not null, the key becomes its owner's of that kind and ordinal. The owner is
 * locked first, as by whoever makes a key: where they have one of it already, nothing is changed.
 */
export const REWRAP_KEY_2: StoreFunction = rewrapFunction("rewrap_key_v2", {
  place: "p_kind text, p_owner text, p_version uuid",
  change: `p_wraps bytea, p_generation bigint, p_check bytea,
    p_new_kind text, p_new_ordinal bigint, p_new_bucket smallint`,
  update: (schema) => `  if p_new_kind is not null then
    perform from ${schema}.owners o where o.name = p_owner for no key update of o;
  end if;
${setWraps(schema, {
  set: `,
      kind = coalesce(p_new_kind, k.kind), ordinal = coalesce(p_new_ordinal, k.ordinal),
      bucket = coalesce(p_new_bucket, k.bucket)`,
  where: `
      and (p_new_kind is null or not exists (
        select from ${schema}.keys t
        where t.owner = o.key and t.kind = p_new_kind and t.ordinal = p_new_ordinal and t.key <> k.key))`,
})}`,
  failures: "f.key = v_key",
});
