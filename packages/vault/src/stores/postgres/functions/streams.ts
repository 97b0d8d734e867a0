/**
 * Entries of the audit, in the functions that write any: `p_entry_streams` and its like are one element an entry, of
 * each stream one after the other; all texts are one value of bytes.
 *
 * A stream has a row, which says how far it is. It is locked after everything else that a write locks, and only *then*
 * looked at, in a later statement: entries are made if the first goes on from there. Positions are given out after
 * that, so that an entry stands behind everything that its writer can have seen. Nobody else uses a stream meanwhile
 * unless its writer was given up: nobody waits here.
 */
import type { SchemaName } from "../schema-name.ts";

/** The arguments of entries. */
export const ENTRY_ARGUMENTS = `p_entry_ids uuid[], p_entry_streams uuid[],
    p_entry_numbers bigint[], p_entry_ends boolean[], p_entry_tags text[], p_entry_macs bytea,
    p_entry_starts integer[], p_entry_sizes integer[], p_entry_texts bytea`;

export const STREAM_VARIABLES = `
  v_fresh_streams uuid[];`;

/** Makes the rows of streams that begin, and locks those of all. */
export const holdStreams = (schema: SchemaName): string => `
    if 1::bigint = any(p_entry_numbers) then
      with made as (
        insert into ${schema}.streams (stream, last, at)
        select u.stream, 0, v_now from unnest(p_entry_streams, p_entry_numbers) u(stream, number)
        where u.number = 1 and not exists (select from ${schema}.streams s where s.stream = u.stream)
        order by u.stream
        on conflict do nothing
        returning stream)
      select array_agg(made.stream) into v_fresh_streams from made;
    end if;
    perform from (select distinct u.stream from unnest(p_entry_streams) u(stream)) w
      join ${schema}.streams s on s.stream = w.stream
      order by s.stream
      for no key update of s;`;

/**
 * Selects from entries `u` (stream, number, n, and what `more` names) with their streams `s`: `IS_MOVED` is true of
 * those that do not go on from there.
 */
export const heldEntries = (schema: SchemaName, more: { readonly arrays: string; readonly names: string }): string => `(
        select x.*, row_number() over (partition by x.stream order by x.n) as nth
        from unnest(p_entry_streams, p_entry_numbers${more.arrays}) with ordinality x(stream, number${more.names}, n)) u
      left join ${schema}.streams s on s.stream = u.stream`;

export const IS_MOVED = "u.number <> coalesce(s.last, 0::bigint) + u.nth";

/** Takes the rows of streams away that were made and not used. */
export const forgetStreams = (schema: SchemaName): string => `
    if v_fresh_streams is not null then
      delete from ${schema}.streams s where s.stream = any(v_fresh_streams) and s.last = 0;
    end if;`;

/**
 * Writes entries, and how far their streams are.
 *
 * @param only which of the entries `u`, a condition; and the further array and name that it speaks of
 */
export const writeEntries = (
  schema: SchemaName,
  only: { readonly arrays: string; readonly names: string; readonly where: string },
): string => `
    update ${schema}.streams s set last = w.last, at = v_now
      from (
        select u.stream, max(u.number) as last
        from unnest(p_entry_streams, p_entry_numbers${only.arrays}) u(stream, number${only.names})
        where ${only.where} group by u.stream) w
      where s.stream = w.stream;
    insert into ${schema}.outbox (id, stream, number, ends, tag, mac, text, at)
      select u.id, u.stream, u.number, u.ends, u.tag, substr(p_entry_macs, 32 * u.n::integer - 31, 32),
        substr(p_entry_texts, u.start, u.size), v_now
      from unnest(p_entry_ids, p_entry_streams, p_entry_numbers, p_entry_ends, p_entry_tags, p_entry_starts,
          p_entry_sizes${only.arrays})
        with ordinality u(id, stream, number, ends, tag, start, size${only.names}, n)
      where ${only.where} order by u.n;`;
