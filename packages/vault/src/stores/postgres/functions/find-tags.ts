/**
 * Searches the tags. Records come in the order of their numbers, from the index that has a tag's records in that order:
 * a page ends where it is full. Of several terms the one with the fewest records leads; the others are looked up.
 */
import type { SchemaName } from "../schema-name.ts";
import { storeFunction } from "./function.ts";
import type { StoreFunction } from "./function.ts";

/** So many records of a term are counted, to know which term leads. */
const COUNTED = 1000;

/**
 * Of a tag's row `t`: whether it is one of a live record of the collection. Each is a question of its own, and no join
 * that could lead.
 */
const isLive = (schema: SchemaName): string => `
            (select h.state from ${schema}.heads h where h.record = t.record) = 'live'
            and (select r.collection from ${schema}.records r where r.key = t.record) = p_collection`;

/** Of a tag's row `t`: whether its record has one of the tags of every other term. */
const hasOthers = (schema: SchemaName): string => `
            and not exists (
              select from unnest(v_others) o(term) where not exists (
                select from unnest(p_terms, v_plain, p_tags) w(term, index, tag)
                  join ${schema}.tags x on x.index = w.index and x.tag = w.tag and x.record = t.record
                  where w.term = o.term)
              and not exists (
                select from unnest(p_terms, v_unique, p_tags) w(term, index, tag)
                  join ${schema}.unique_tags x on x.index = w.index and x.tag = w.tag and x.record = t.record
                  where w.term = o.term))`;

/** The records of the tags of the leading term, of one table. */
const ofTags = (schema: SchemaName, table: string, indexes: string): string => `
        select f.record from unnest(p_terms, ${indexes}, p_tags) u(term, index, tag)
        cross join lateral (
          select t.record from ${schema}.${table} t
          where t.index = u.index and t.tag = u.tag and t.record > p_after and${isLive(schema)}${hasOthers(schema)}
          order by t.record limit p_limit) f
        where u.term = v_leading and u.index is not null`;

/** How many rows a term has, up to some, of one table. */
const rowsOf = (schema: SchemaName, table: string, indexes: string): string => `
            select from unnest(p_terms, ${indexes}, p_tags) u(term, index, tag)
              join ${schema}.${table} t on t.index = u.index and t.tag = u.tag
              where u.term = d.term`;

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
begin
  select array_agg(case when not i.is_unique then i.key end order by u.n),
      array_agg(case when i.is_unique then i.key end order by u.n), min(u.term), array_agg(distinct u.term)
    into v_plain, v_unique, v_leading, v_others
    from unnest(p_terms, p_indexes) with ordinality u(term, id, n)
    left join ${schema}.indexes i on i.id = u.id and i.collection = p_collection and i.state <> 'dropped';
  if cardinality(v_others) > 1 then
    select d.term into v_leading from unnest(v_others) d(term) cross join lateral (
        select count(*) as n from (${rowsOf(schema, "tags", "v_plain")}
          union all${rowsOf(schema, "unique_tags", "v_unique")}
          limit ${COUNTED}) c) c
      order by c.n, d.term limit 1;
  end if;
  v_others := array_remove(v_others, v_leading);
  return query
    select a.record from (${ofTags(schema, "tags", "v_plain")}
      union all${ofTags(schema, "unique_tags", "v_unique")}) a
    group by a.record order by a.record limit p_limit;
end`,
);
