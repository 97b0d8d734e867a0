/**
 * A hand in a database: it sees every table and every row, exchanges what lies in two of them, and puts everything back.
 * It knows no table by name but those that it leaves alone, so that a column which comes later is tried as well.
 */
import { DatabaseSync } from "node:sqlite";
import type { SQLInputValue } from "node:sqlite";

/** A row, by its columns. */
export type Row = Readonly<Record<string, unknown>>;

/** A table as it was when the hand first looked. */
export interface Table {
  readonly name: string;
  /** In their order. */
  readonly columns: readonly string[];
  /** Columns of the primary key. */
  readonly key: readonly string[];
  readonly rows: readonly Row[];
}

/** Rows of one table that go, and those that come in their place. */
export interface RowEdit {
  readonly table: string;
  /** Of one whose key comes back at the same place of `put`, only the columns that differ are changed. */
  readonly gone: readonly Row[];
  readonly put: readonly Row[];
  /** Every row goes, also those that came since the hand first looked. */
  readonly whole?: true;
}

/** Somebody who may write to a database as its owner does. */
export interface Hand {
  /** As they were at the beginning. */
  readonly tables: readonly Table[];
  /**
   * In one transaction, rows go and others come in their place.
   *
   * @throws the database's error, when it takes no such row: nothing is changed then
   */
  edit(edits: readonly RowEdit[]): Promise<void>;
  /** Puts every row back as it was at the beginning. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

/**
 * What is neither exchanged nor put back: who the store is, what jobs do, and what was written when. None of it says
 * what a row holds.
 */
export const LEFT_ALONE: RegExp = /^(gate|jobs|move|past_writes|failures|sqlite_.*|kysely_.*)$/;

/** The hand in a database in SQLite, beside the process that has it open. @param leaveAlone tables that it does not see */
export function sqliteHand(path: string, leaveAlone: RegExp = LEFT_ALONE): Hand {
  const database = new DatabaseSync(path);
  database.exec("pragma busy_timeout = 5000; pragma foreign_keys = off; pragma ignore_check_constraints = on");
  // What it did need not survive the machine.
  database.exec("pragma synchronous = off");
  const all = (sql: string): readonly Row[] => {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    return statement.all();
  };
  const tables = all("select name from sqlite_schema where type = 'table' order by name")
    .map(({ name }) => String(name))
    .filter((name) => !leaveAlone.test(name))
    .map((name): Table => {
      const columns = all(`pragma table_info("${name}")`);
      return {
        name,
        columns: columns.map((column) => String(column["name"])),
        key: columns.filter(({ pk }) => pk !== 0n).map((column) => String(column["name"])),
        rows: all(`select * from "${name}"`),
      };
    });
  const byName = new Map(tables.map((table) => [table.name, table]));
  const within = async (work: () => void): Promise<void> => {
    database.exec("begin immediate");
    try {
      work();
      database.exec("commit");
    } catch (error) {
      database.exec("rollback");
      throw error;
    }
  };
  const remove = ({ name, key }: Table, row: Row): void => {
    const where = key.map((column) => `"${column}" is ?`).join(" and ");
    database.prepare(`delete from "${name}" where ${where}`).run(...valuesOf(row, key));
  };
  const update = ({ name, columns, key }: Table, row: Row, now: Row): void => {
    const changed = columns.filter((column) => !isSame(row[column], now[column]));
    if (changed.length === 0) return;
    const where = key.map((column) => `"${column}" is ?`).join(" and ");
    const set = changed.map((column) => `"${column}" = ?`).join(", ");
    database
      .prepare(`update "${name}" set ${set} where ${where}`)
      .run(...valuesOf(now, changed), ...valuesOf(row, key));
  };
  const insert = ({ name, columns }: Table, row: Row): void => {
    const places = columns.map(() => "?").join(", ");
    database.prepare(`insert into "${name}" values (${places})`).run(...valuesOf(row, columns));
  };
  return {
    tables,
    edit: (edits) =>
      within(() => {
        for (const { table, gone, put, whole } of edits) {
          const of = byName.get(table)!;
          const stays = (row: Row, index: number): boolean => hasKeyOf(of, row, put[index]);
          if (whole === true) database.exec(`delete from "${table}"`);
          else for (const [index, row] of gone.entries()) if (!stays(row, index)) remove(of, row);
          for (const [index, row] of put.entries()) {
            const before = gone[index];
            if (whole !== true && before !== undefined && hasKeyOf(of, before, row)) update(of, before, row);
            else insert(of, row);
          }
        }
      }),
    restore: () =>
      within(() => {
        for (const table of tables) {
          database.exec(`delete from "${table.name}"`);
          for (const row of table.rows) insert(table, row);
        }
      }),
    close: async () => {
      database.close();
    },
  };
}

const valuesOf = (row: Row, columns: readonly string[]): SQLInputValue[] =>
  columns.map((column) => row[column] as SQLInputValue);

/** Whether two rows have the same key. */
export const hasKeyOf = ({ key }: Table, row: Row, other: Row | undefined): boolean =>
  other !== undefined && key.length > 0 && key.every((column) => isSame(row[column], other[column]));

/** Whether two columns' values are the same. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one instanceof Uint8Array && other instanceof Uint8Array) return Buffer.compare(one, other) === 0;
  return one === other;
}
