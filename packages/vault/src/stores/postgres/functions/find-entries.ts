/**
 * Searches the audit's log. One index leads, in the order of positions, so that a page ends where it is full; all other
 * conditions are looked at on the way.
 */
import type { SchemaName } from "../schema-name.ts";
import { storeFunction } from "./function.ts";
import type { StoreFunction } from "./function.ts";

/** A position and its entry; a text that is longer than any entry's is cut, and is none then. */
export const ROW = `"position" bigint, id uuid, leaf bytea, text bytea`;
export const ROW_COLUMNS = "e.position, e.id, substring(e.leaf from 1 for 33), substring(t.text from 1 for p_most + 1)";

const FILTER = `e.position >= v_low and e.position <= v_high
        and (p_principal is null or e.principal = p_principal) and (p_action is null or e.action = p_action)
        and (p_collection is null or e.collection = p_collection)
        and (p_since is null or e.at >= p_since) and (p_until is null or e.at < p_until)`;

/** Of each of some people as many as a page has; together, the first of them. */
const ofPeople = (schema: SchemaName, order: string): string => `
      select distinct f.position from (select distinct k.key collate "C" as key from unnest(p_people) k(key)) k
      cross join lateral (
        select e.position from ${schema}.people p join ${schema}.entries e on e.position = p.position
        where p.key = k.key and p.position >= v_low and p.position <= v_high and ${FILTER}
        order by p.position ${order} limit p_limit) f
      order by f.position ${order} limit p_limit`;

const ofEntries = (condition: string) => (schema: SchemaName, order: string) => `
      select e.position from ${schema}.entries e
      where ${condition} and ${FILTER} order by e.position ${order} limit p_limit`;

/** What is given -> the search that it leads. The first that is given. */
const SEARCHES: readonly (readonly [given: string, search: (schema: SchemaName, order: string) => string])[] = [
  ["p_people is not null", ofPeople],
  ["p_principal is not null", ofEntries("e.principal = p_principal")],
  ["p_collection is not null", ofEntries("e.collection = p_collection")],
  ["p_action is not null", ofEntries("e.action = p_action")],
  ["true", ofEntries("true")],
];

const searchesIn = (schema: SchemaName, order: "asc" | "desc"): string =>
  SEARCHES.map(
    ([given, search], index) => `
    ${index === 0 ? "if" : "elsif"} ${given} then return query
      select ${ROW_COLUMNS}
      from (${search(schema, order)}) f
      join ${schema}.entries e on e.position = f.position left join ${schema}.texts t on t.position = f.position
      order by f.position ${order};`,
  ).join("");

/**
 * Entries of which all that is given holds, behind `p_after` in the order. Where a moment is given, the search begins
 * at the first entry that can be of then: `latest` only grows.
 */
export const FIND: StoreFunction = storeFunction(
  "find_v1",
  {
    takes: `p_people text[], p_principal text, p_action text, p_collection text, p_since bigint, p_until bigint,
    p_newest boolean, p_after bigint, p_limit bigint, p_most integer`,
    returns: `TABLE(${ROW})`,
  },
  (schema) => `
#variable_conflict use_column
declare
  v_low bigint := 0;
  v_high bigint := 9223372036854775807;
  v_end bigint;
  v_middle bigint;
  v_latest bigint;
begin
  if p_since is not null then
    select l.size into v_end from ${schema}.log l;
    while v_low < v_end loop
      v_middle := (v_low + v_end) / 2;
      select e.latest into v_latest from ${schema}.entries e where e.position = v_middle;
      -- A row that is gone tells nothing: all are looked at then.
      if not found then v_low := 0; exit; end if;
      if v_latest >= p_since then v_end := v_middle; else v_low := v_middle + 1; end if;
    end loop;
  end if;
  if p_newest then
    v_high := coalesce(p_after - 1, v_high);${searchesIn(schema, "desc")}
    end if;
  else
    v_low := greatest(v_low, p_after + 1);${searchesIn(schema, "asc")}
    end if;
  end if;
end`,
);
