/**
 * What a database says of a table: its columns, their types, its key. Asked before anything is moved, and what cannot
 * be moved exactly is refused by then.
 */
import { shown } from "@strongroom/base/shown";
import { postgresKind } from "./cells.ts";
import type { MoveDatabase, Run } from "./database.ts";
import { qualified } from "./database.ts";
import { contextColumns, tableUnfit } from "./definition.ts";
import type { MoveDefinition } from "./definition.ts";

/** A column. */
export interface ColumnFacts {
  readonly name: string;
  /** As the database writes it, with which a text becomes a value of it. */
  readonly type: string;
  /** Kind of its values; `own`: each value of SQLite says it itself. */
  readonly kind: "text" | "number" | "boolean" | "json" | "bytes" | "own";
  readonly mayBeNull: boolean;
}

/** A table, as far as the move uses it. */
export interface TableFacts {
  readonly key: ColumnFacts;
  readonly columns: readonly ColumnFacts[];
  /** Others that are read as text: the person's, and those of the context. */
  readonly beside: readonly ColumnFacts[];
}

/** A column as it was found. */
interface Found {
  readonly name: string;
  readonly type: string;
  readonly kind: ColumnFacts["kind"] | null;
  readonly mayBeNull: boolean;
  readonly isUnique: boolean;
}

/** Types of PostgreSQL whose texts name a row, and are the same for equal values. */
const KEY_TYPES = ["smallint", "integer", "bigint", "uuid", "text"];

/**
 * Looks at the table.
 *
 * @throws VaultError `move-table-unfit` with everything that is wrong
 */
export async function tableFacts(database: MoveDatabase, run: Run, definition: MoveDefinition): Promise<TableFacts> {
  const { table, key, subject, columns } = definition;
  const found = database.dialect === "postgres" ? await inPostgres(database, run, table) : await inSqlite(run, table);
  if (found.length === 0) throw tableUnfit([`there is no table ${shown(qualified(database, table))}`]);
  const problems: string[] = [];
  const named = (name: string): ColumnFacts => {
    const one = found.find((column) => column.name === name);
    if (one === undefined) problems.push(`the table has no column ${shown(name)}`);
    else if (one.kind === null)
      problems.push(
        `${shown(name)} is of the type ${shown(one.type)}, of which no text is known to be exact: move a column of another type`,
      );
    return { name, type: one?.type ?? "", kind: one?.kind ?? "text", mayBeNull: one?.mayBeNull ?? true };
  };
  const keyFacts = named(key);
  const keyFound = found.find((column) => column.name === key);
  if (keyFound !== undefined && !keyFound.isUnique)
    problems.push(`${shown(key)} is no key: it must be the primary key, or unique and not null, of one column`);
  const isKeyType = KEY_TYPES.includes(keyFacts.type) || keyFacts.type.startsWith("character varying");
  if (database.dialect === "postgres" && keyFound !== undefined && !isKeyType)
    problems.push(`the key is of the type ${shown(keyFacts.type)}: it must be ${KEY_TYPES.join(", ")} or varchar`);
  const facts = {
    key: keyFacts,
    columns: columns.map(({ name }) => named(name)),
    beside: [...new Set([...(subject === undefined ? [] : [subject]), ...contextColumns(definition)])]
      .filter((name) => name !== key)
      .map(named),
  };
  columns.forEach(({ name, holds }, index) => {
    const kind = facts.columns[index]?.kind;
    if (holds !== "values" && kind !== "text" && kind !== "bytes" && kind !== "own")
      problems.push(
        `${shown(name)} cannot hold messages: it is of the type ${shown(facts.columns[index]?.type ?? "")}`,
      );
  });
  if (problems.length > 0) throw tableUnfit(problems);
  return facts;
}

async function inPostgres({ schema }: MoveDatabase, run: Run, table: string): Promise<readonly Found[]> {
  const rows = await run(
    `select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, coalesce(b.typname, t.typname) as base,
        coalesce(b.typtype, t.typtype) as sort, not a.attnotnull and not t.typnotnull as nullable,
        exists (select from pg_index i where i.indrelid = c.oid and i.indisunique and i.indisvalid
          and i.indpred is null and i.indnkeyatts = 1 and i.indkey[0] = a.attnum and a.attnotnull) as sole
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        join pg_type t on t.oid = a.atttypid left join pg_type b on t.typtype = 'd' and b.oid = t.typbasetype
      where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p')`,
    [schema, table],
  );
  return rows.map(({ name, type, base, sort, nullable, sole }) => ({
    name: String(name),
    type: String(type),
    kind: postgresKind(String(base), String(sort)),
    mayBeNull: nullable === "t",
    isUnique: sole === "t",
  }));
}

async function inSqlite(run: Run, table: string): Promise<readonly Found[]> {
  const [encoding] = await run("pragma encoding");
  if (encoding?.["encoding"] !== "UTF-8") throw tableUnfit(["the database is not encoded in UTF-8"]);
  const rows = await run('select name, type, "notnull" as sure, pk from pragma_table_info($1)', [table]);
  const unique = await run(
    `select (select group_concat(name) from pragma_index_info(l.name)) as name from pragma_index_list($1) l
      where l."unique" = 1 and l.partial = 0 and (select count(*) from pragma_index_info(l.name)) = 1`,
    [table],
  );
  const isSole = rows.filter(({ pk }) => pk !== 0n).length === 1;
  return rows.map(({ name, type, sure, pk }) => {
    const isRowId = /^integer$/i.test(String(type));
    const isPrimary = pk !== 0n && isSole;
    return {
      name: String(name),
      type: String(type),
      kind: "own" as const,
      mayBeNull: sure === 0n && !isPrimary,
      // A primary key of another type than INTEGER may be null in SQLite, which pages by key would pass over.
      isUnique: (isPrimary && (isRowId || sure !== 0n)) || (sure !== 0n && unique.some((one) => one["name"] === name)),
    };
  });
}
