/**
 * Whether a schema holds what the migrations make, word for word, and nothing beside it.
 * Threat: someone who can write the database plants a trigger, a rule or a row policy, takes a constraint away, or
 * gives a function another body, which does its work with every commit of the vault.
 */
import { shown } from "@strongroom/base/shown";
import { createHash } from "node:crypto";
import type { Columns } from "./columns.ts";
import { text } from "./columns.ts";
import { statement } from "./connection.ts";
import type { Connection, Statement } from "./connection.ts";
import { FUNCTION_SETTINGS } from "./functions/function.ts";
import type { StoreSchema } from "./migration.ts";
import type { SchemaName } from "./schema-name.ts";

/** One thing that a schema has. */
export interface SchemaLine {
  /** `column heads.version`. */
  readonly name: string;
  /** How it is defined. */
  readonly form: string;
}

/** Options of tables by which whoever runs the server tunes it: they run nothing, and hold nothing back. */
const TUNING = "^(log_autovacuum_|autovacuum_|vacuum_|toast|parallel_workers)";

/** Everything that is defined in a schema, of the tables' own names and forms without the schema's. */
const linesStatement = (schema: SchemaName): Statement =>
  statement(`
  with s as (select oid, quote_ident(nspname) || '.' as prefix from pg_namespace where nspname = '${unquoted(schema)}'),
  rel as (select c.* from pg_class c join s on c.relnamespace = s.oid)
  select 'relation ' || relname as name, concat_ws(' ', relkind, relpersistence,
      case when relrowsecurity then 'row security' end, case when relforcerowsecurity then 'forced' end,
      case when relispartition then 'partition' end, (
        select string_agg(o, ' ') from unnest(reloptions) o where o !~ '${TUNING}')) as form
    from rel where relkind not in ('i', 'I', 't')
  union all
  select 'heir ' || h.inhrelid::regclass::text, h.inhparent::regclass::text
    from pg_inherits h where h.inhparent in (select oid from rel) or h.inhrelid in (select oid from rel)
  union all
  select 'column ' || c.relname || '.' || a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
      case when a.attnotnull then 'not null' end, nullif(a.attidentity::text, ''), nullif(a.attgenerated::text, ''),
      a.attstorage, (select l.collname from pg_collation l where l.oid = a.attcollation),
      (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = a.attrelid and d.adnum = a.attnum))
    from rel c join pg_attribute a on a.attrelid = c.oid
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and a.attnum > 0 and not a.attisdropped
  union all
  select 'constraint ' || c.relname || '.' || k.conname, replace(pg_get_constraintdef(k.oid), s.prefix, '')
    from s, pg_constraint k join rel c on c.oid = k.conrelid where k.contype <> 'n'
  union all
  select 'index ' || i.relname, replace(pg_get_indexdef(x.indexrelid), s.prefix, '') ||
      case when x.indisvalid and x.indisready then '' else ' (invalid)' end
    from s, pg_index x join rel c on c.oid = x.indrelid join pg_class i on i.oid = x.indexrelid
  union all
  select 'trigger ' || c.relname || '.' || t.tgname, ''
    from pg_trigger t join rel c on c.oid = t.tgrelid where not t.tgisinternal
  union all
  select 'rule ' || c.relname || '.' || w.rulename, ''
    from pg_rewrite w join rel c on c.oid = w.ev_class where w.rulename <> '_RETURN'
  union all
  select 'policy ' || c.relname || '.' || p.polname, '' from pg_policy p join rel c on c.oid = p.polrelid
  union all
  select 'type ' || t.typname, t.typtype::text from pg_type t join s on t.typnamespace = s.oid
    where t.typtype not in ('c') and not exists (
      select from pg_type e join rel c on c.oid = e.typrelid where e.typarray = t.oid)
  union all
  select 'operator ' || o.oprname, '' from pg_operator o join s on o.oprnamespace = s.oid
  union all
  select 'function ' || p.proname,
    concat_ws(' ', p.prokind, l.lanname, p.provolatile, p.proparallel, case when p.prosecdef then 'definer' end,
      case when p.proisstrict then 'strict' end, case when p.proleakproof then 'leakproof' end,
      array_to_string(p.proconfig, ' '), pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
      encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex'))
    from pg_proc p join s on p.pronamespace = s.oid join pg_language l on l.oid = p.prolang`);

const unquoted = (schema: SchemaName): string => schema.slice(1, -1);

/** What is defined in the schema. */
export async function schemaLines(connection: Connection, schema: SchemaName): Promise<readonly SchemaLine[]> {
  const rows = await connection.query(linesStatement(schema), [], { isNamed: false });
  return rows.map((row: Columns) => ({ name: text(row["name"]) ?? "", form: text(row["form"]) ?? "" }));
}

/** What the migrations of this version make. */
export function expectedLines({ functions, lines }: StoreSchema, schema: SchemaName): ReadonlyMap<string, string> {
  const made = functions.map(({ name, takes, returns, body }): readonly [string, string] => {
    const digest = createHash("sha256").update(body(schema)).digest("hex");
    return [`function ${name}`, `f plpgsql v u ${FUNCTION_SETTINGS} ${takes} ${returns} ${digest}`];
  });
  return new Map([...lines, ...made]);
}

/** What no version puts on a table: it would be run with every commit. */
const NEVER_OURS = /^(?:trigger|rule|policy|heir|operator) /;

/** Most differences that are named. */
const MOST_NAMED = 20;

/** Which schema is compared with what. */
export interface ComparedSchema {
  readonly of: StoreSchema;
  readonly schema: SchemaName;
  /** It was migrated by a newer version: what is not ours may be that version's. */
  readonly isNewer: boolean;
  /** Names of indexes that are made beside running writers, and may not be there yet. */
  readonly pendingIndexes: readonly string[];
}

/** What differs, a line each, with every name cut and escaped; empty when nothing does. */
export function schemaDifferences(
  found: readonly SchemaLine[],
  { of, schema, isNewer, pendingIndexes }: ComparedSchema,
): readonly string[] {
  const expected = expectedLines(of, schema);
  const forms = new Map(found.map(({ name, form }) => [name, form]));
  const isPending = (name: string): boolean => pendingIndexes.some((index) => name === `index ${index}`);
  const problems = [
    ...[...expected.keys()]
      .filter((name) => !forms.has(name) && !isPending(name))
      .map((name) => `the ${name} is missing`),
    ...found
      .filter(({ name }) => !expected.has(name) && !isPending(name) && (!isNewer || NEVER_OURS.test(name)))
      .map(({ name }) => `the ${name} is not of this ${of.what}`),
    ...found
      .filter(({ name, form }) => expected.has(name) && expected.get(name) !== form)
      .map(({ name }) => `the ${name} was defined anew`),
  ].map(shown);
  const more = problems.length - MOST_NAMED;
  return more <= 0 ? problems : [...problems.slice(0, MOST_NAMED), `${more} more`];
}
