/**
 * The hand in a schema of a PostgreSQL database.
 */
import pg from "pg";
import { hasKeyOf, isSame, LEFT_ALONE } from "./hand.ts";
import type { Hand, Row, Table } from "./hand.ts";

/** Where the rows lie as they were. */
const KEPT = "rows_as_they_were";

/** Looks into the schema, and keeps a copy of it beside, under a name of its own where it is not the only one. */
export async function postgresHand(url: string, schema: string, name: string = KEPT): Promise<Hand> {
  const client = new pg.Client({ connectionString: url, types: TYPES });
  await client.connect();
  const all = async (sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> =>
    (await client.query<Record<string, unknown>>(sql, [...values])).rows;
  const kept = `${name}_of_${schema}`;
  await client.query(`create schema ${kept}`);
  const tables: Table[] = [];
  for (const { name } of await all("select tablename as name from pg_tables where schemaname = $1 order by 1", [
    schema,
  ])) {
    if (LEFT_ALONE.test(String(name))) continue;
    const columns = await all(
      `select attname as name, coalesce(attnum = any(conkey), false) as key
       from pg_attribute left join pg_constraint on conrelid = attrelid and contype = 'p'
       where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
      [`${schema}.${String(name)}`],
    );
    tables.push({
      name: String(name),
      columns: columns.map((column) => String(column["name"])),
      key: columns.filter(({ key }) => key === true).map((column) => String(column["name"])),
      rows: await all(`select * from ${schema}.${String(name)}`),
    });
    await client.query(`create table ${kept}.${String(name)} as table ${schema}.${String(name)}`);
  }
  const byName = new Map(tables.map((table) => [table.name, table]));
  const within = async (work: () => Promise<void>): Promise<void> => {
    await client.query("begin");
    try {
      await work();
      await client.query("commit");
    } catch (error) {
      await client.query("rollback");
      throw error;
    }
  };
  return {
    tables,
    edit: (edits) =>
      within(async () => {
        for (const { table, gone, put, whole } of edits) {
          const of = byName.get(table)!;
          const { columns, key } = of;
          const where = key.map((column, index) => `${column} = $${index + 1}`).join(" and ");
          const isChanged = (index: number): boolean =>
            whole !== true && gone[index] !== undefined && hasKeyOf(of, gone[index], put[index]);
          if (whole === true) await all(`delete from ${schema}.${table}`);
          else
            for (const [index, row] of gone.entries())
              if (!isChanged(index))
                await all(
                  `delete from ${schema}.${table} where ${where}`,
                  key.map((column) => row[column]),
                );
          const places = columns.map((_, index) => `$${index + 1}`).join(", ");
          for (const [index, row] of put.entries()) {
            const changed = columns.filter((column) => !isSame(gone[index]?.[column], row[column]));
            if (!isChanged(index))
              await all(
                `insert into ${schema}.${table} (${columns.join(", ")}) overriding system value values (${places})`,
                columns.map((column) => row[column]),
              );
            else if (changed.length > 0)
              await all(
                `update ${schema}.${table} set ${changed.map((column, at) => `${column} = $${key.length + at + 1}`).join(", ")} where ${where}`,
                [...key, ...changed].map((column) => row[column]),
              );
          }
        }
      }),
    restore: () =>
      within(async () => {
        for (const { name, columns } of tables)
          await client.query(
            `delete from ${schema}.${name};
             insert into ${schema}.${name} (${columns.join(", ")}) overriding system value table ${kept}.${name}`,
          );
      }),
    close: async () => {
      await client.query(`drop schema ${kept} cascade`);
      await client.end();
    },
  };
}

/** Numbers of eight bytes as they are. */
const TYPES = new pg.TypeOverrides();
TYPES.setTypeParser(pg.types.builtins.INT8, (value) => BigInt(value));
