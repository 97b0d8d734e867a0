/**
 * Searches the tags of several terms. Records come in the order of their numbers, from the index that has a tag's
 * records in that order. The term with the fewest of them leads: some are taken from it, and of those the ones stay
 * that every other term has as well, until a page is full.
 */
import type { SchemaName } from "../schema-name.ts";
import { storeFunction } from "./function.ts";
import type { StoreFunction } from "./function.ts";

/** So many records of a term are counted, to know which term leads. */
const COUNTED = 1000;

/** Most records that are taken from the leading term at once, and fewest. */
const MOST_TAKEN = 8192;
const FEWEST_TAKEN = 128;

/** Both tables, with the numbers of those indexes whose tags are in it. */
const TABLES = [
  { table: "tags", indexes: "v_plain" },
  { table: "unique_tags", indexes: "v_unique" },
] as const;

const ofBoth = (select: (parts: { readonly table: string; readonly tags: string }) => string): string =>
  TABLES.map(({ table, indexes }) => select({ table, tags: `unnest(p_terms, ${indexes}, p_tags) u(term, index, tag)` }))
    .join(`
        union all`);

/**
 * Of a tag's row `t`: whether it is one of a live record of the collection. Each is a question of its own, and no join
 * that could lead.
 */
const isLive = (schema: SchemaName, record: string, collection: string): string => `
        (select h.state from ${schema}.heads h where h.record = ${record}) = 'live'
        and (select r.collection from ${schema}.records r where r.key = ${record}) = ${collection}`;

/** `p_terms` is of each tag the number of its term; `p_indexes` its index. */
export const FIND_TAGS: StoreFunction = storeFunction(
  "find_tags_v1",
  {
    takes: "p_collection text, p_terms integer[], p_indexes text[], p_tags bytea[], p_after bigint, p_limit bigint",
    returns: "TABLE(key bigint)",
  },
  (schema) => `
#variable_conflict use_column
declare
  v_plain integer[];
  v_unique integer[];
  v_leading integer;
  v_others integer[];
  v_term integer;
  v_after bigint := p_after;
  v_left bigint := p_limit;
  v_size bigint := greatest(least(p_limit, ${MOST_TAKEN}), ${FEWEST_TAKEN});
  v_taken bigint;
  v_found bigint;
  v_records bigint[];
begin
  select array_agg(case when not i.is_unique then i.key end order by u.n),
      array_agg(case when i.is_unique then i.key end order by u.n), min(u.term), array_agg(distinct u.term)
    into v_plain, v_unique, v_leading, v_others
    from unnest(p_terms, p_indexes) with ordinality u(term, id, n)
    left join ${schema}.indexes i on i.id = u.id and i.collection = p_collection and i.state <> 'dropped';
  if cardinality(v_others) > 1 then
    select d.term into v_leading from unnest(v_others) d(term) cross join lateral (
        select count(*) as n from (${ofBoth(
          ({ table, tags }) => `
          (select from ${tags} join ${schema}.${table} t on t.index = u.index and t.tag = u.tag
            where u.term = d.term limit ${COUNTED})`,
        )}) c) c
      order by c.n, d.term limit 1;
    v_others := array_remove(v_others, v_leading);
  else
    v_others := null;
  end if;
  loop
    select array_agg(a.record), count(*), max(a.record) into v_records, v_taken, v_after from (
      select f.record from (${ofBoth(
        ({ table, tags }) => `
        select f.record from ${tags} cross join lateral (
          select t.record from ${schema}.${table} t
          where t.index = u.index and t.tag = u.tag and t.record > v_after
          order by t.record limit v_size) f
        where u.term = v_leading`,
      )}) f
      group by f.record order by f.record limit v_size) a;
    if v_others is not null then
      foreach v_term in array v_others loop
        select array_agg(distinct f.record) into v_records from (${ofBoth(
          ({ table, tags }) => `
          select t.record from unnest(v_records) o(record) cross join ${tags} cross join lateral (
            select t.record from ${schema}.${table} t
            where t.index = u.index and t.tag = u.tag and t.record = o.record limit 1) t
          where u.term = v_term`,
        )}) f;
      end loop;
    end if;
    return query
      select f.record from unnest(v_records) f(record)
      where ${isLive(schema, "f.record", "p_collection").trim()}
      order by f.record limit v_left;
    get diagnostics v_found = row_count;
    v_left := v_left - v_found;
    exit when v_left <= 0 or v_taken < v_size;
    v_size := least(2 * v_size, ${MOST_TAKEN});
  end loop;
end`,
);
