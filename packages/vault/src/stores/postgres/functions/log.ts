/**
 * What is asked of the audit's log. Each is a function for the sake of its plan (function.ts): a log that was empty
 * when a session first asked has a hundred million entries a year later.
 */
import type { SchemaName } from "../schema-name.ts";
import { FIND, ROW, ROW_COLUMNS } from "./find-entries.ts";
import { changeFunction } from "./change.ts";
import { readFunction } from "./function.ts";
import type { StoreFunction } from "./function.ts";

/** Tables that are counted. */
const TABLES = ["entries", "subtrees", "heads", "messages", "streams", "people"] as const;

/** The newest of addresses, and whether a message of theirs is known. `p_digests`: one value, 32 bytes each. */
const LATEST: StoreFunction = readFunction(
  "latest_v1",
  "p_tags text[], p_versions bigint[], p_digests bytea",
  "there boolean, version bigint, state text, entry uuid, known boolean",
  (schema) => `return query
    select h.tag is not null, h.version, h.state, h.entry, u.version is not null and exists (
      select from ${schema}.messages m
      where m.tag = u.tag and m.version = u.version and m.sha256 = substr(p_digests, 32 * u.n::integer - 31, 32))
    from unnest(p_tags, p_versions) with ordinality u(tag, version, n)
    left join ${schema}.heads h on h.tag = u.tag
    order by u.n;`,
);

const FIRST_VERSIONS: StoreFunction = readFunction(
  "first_versions_v1",
  "p_tags text[]",
  "version bigint",
  (schema) => `return query
    select (select m.version from ${schema}.messages m where m.tag = u.tag order by m.version limit 1)
    from unnest(p_tags) with ordinality u(tag, n) order by u.n;`,
);

const HEADS: StoreFunction = readFunction(
  "heads_v1",
  "p_live boolean, p_after text, p_limit bigint",
  "tag text, version bigint, state text, entry uuid",
  (schema) => `return query
    select left(h.tag, 64), h.version, h.state, h.entry from ${schema}.heads h
    where h.tag > coalesce(p_after, '') and (h.state = 'live' or not p_live) order by h.tag limit p_limit;`,
);

/**
 * Entries from a position on, with what they are found by: up to `p_limit` of them and `p_bytes` of texts, but one at
 * least. Who is in one is one text, by lines.
 */
const RANGE: StoreFunction = readFunction(
  "entries_v1",
  "p_from bigint, p_limit bigint, p_bytes bigint, p_most integer",
  `${ROW}, at bigint, principal text, action text, collection text, people text`,
  (schema) => `return query
    select ${ROW_COLUMNS}, e.at, left(e.principal, 257), left(e.action, 257), left(e.collection, 257), (
      select string_agg(left(k.key, 257), E'\n' order by k.key) from (
        select p.key from ${schema}.people p where p.position = e.position order by p.key limit 5000) k)
    from (
      select f.*, sum(octet_length(t.text)) over (order by f.position) - octet_length(t.text) as before
      from (select * from ${schema}.entries f where f.position >= p_from order by f.position limit p_limit) f
      left join ${schema}.texts t on t.position = f.position) e
    left join ${schema}.texts t on t.position = e.position
    where coalesce(e.before, 0) < p_bytes
    order by e.position;`,
);

const counted = (schema: SchemaName, table: string): string => `(select count(*) from ${schema}.${table})`;

const COUNTS: StoreFunction = readFunction(
  "counts_v1",
  "",
  TABLES.map((table) => `${table} bigint`).join(", "),
  (schema) => `return query select ${TABLES.map((table) => counted(schema, table)).join(", ")};`,
);

const POSITIONS: StoreFunction = readFunction(
  "positions_v1",
  "p_ids uuid[]",
  `"position" bigint`,
  (schema) => `return query
    select e.position from unnest(p_ids) with ordinality u(id, n)
    left join ${schema}.entries e on e.id = u.id
    order by u.n;`,
);

/** From one key to the next larger one: entries that name it are not gone through. */
const NAMED_KEYS: StoreFunction = readFunction(
  "named_keys_v1",
  "p_after text, p_limit bigint",
  "key text",
  (schema) => `return query
    with recursive named(key) as (
      (select p.key from ${schema}.people p where p.key > coalesce(p_after, '') order by p.key limit 1)
      union all
      select (select p.key from ${schema}.people p where p.key > named.key order by p.key limit 1)
      from named where named.key is not null)
    select named.key from named
    where named.key ~ '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' limit p_limit;`,
);

const HASHES: StoreFunction = readFunction(
  "hashes_v1",
  "p_height integer, p_start bigint, p_end bigint",
  "index bigint, hash bytea",
  (schema) => `if p_height = 0 then
    return query
      select e.position, substring(e.leaf from 1 for 33) from ${schema}.entries e
      where e.position >= p_start and e.position < p_end order by e.position;
  else
    return query
      select s.index, substring(s.hash from 1 for 33) from ${schema}.subtrees s
      where s.height = p_height and s.index >= p_start and s.index < p_end order by s.index;
  end if;`,
);

const LOG_STREAMS: StoreFunction = readFunction(
  "log_streams_v1",
  "p_outbox text, p_after uuid, p_limit bigint",
  "stream uuid, number bigint, ended boolean",
  (schema) => `return query
    select s.stream, s.number, s.ended from ${schema}.streams s
    where s.outbox = p_outbox and s.stream >= coalesce(p_after, '00000000-0000-0000-0000-000000000000'::uuid)
      and s.stream is distinct from p_after
    order by s.stream limit p_limit;`,
);

/** Entries of before `p_before` with their texts, the first first. Texts lead, so that what went is not looked at. */
const FORGETTABLE: StoreFunction = readFunction(
  "forgettable_v1",
  "p_before bigint, p_keep text[], p_from bigint, p_limit bigint",
  `"position" bigint`,
  (schema) => `return query
    select t.position from ${schema}.texts t join ${schema}.entries e on e.position = t.position
    where t.position >= p_from and e.at < p_before and e.action <> all(p_keep) order by t.position limit p_limit;`,
);

/** Takes texts and people away of ranges of positions; or answers `beyond`: some are not in the log. */
const FORGET: StoreFunction = changeFunction("forget_v1", "p_froms bigint[], p_ends bigint[]", {
  variables: `
  v_end bigint;`,
  body: (schema) => `select max(u.position) into v_end from unnest(p_ends) u(position);
  if v_end > (select l.size from ${schema}.log l) then
    return query select 'beyond'::text, 0::bigint; return;
  end if;
  delete from ${schema}.people p using unnest(p_froms, p_ends) u(start, stop)
    where p.position >= u.start and p.position < u.stop;
  delete from ${schema}.texts t using unnest(p_froms, p_ends) u(start, stop)
    where t.position >= u.start and t.position < u.stop;
  get diagnostics changed = row_count;
  update ${schema}.log l set forgotten = v_end where v_end > l.forgotten;`,
});

export const LOG_FUNCTIONS: readonly StoreFunction[] = [
  LATEST,
  FIRST_VERSIONS,
  HEADS,
  RANGE,
  COUNTS,
  POSITIONS,
  NAMED_KEYS,
  FIND,
  HASHES,
  LOG_STREAMS,
  FORGETTABLE,
  FORGET,
];
