/**
 * The rows of the table that moves: read by pages of its key, filled and emptied where they still are as they were
 * read.
 * Every name is quoted, every value is bound.
 */
import { isDeepStrictEqual } from "node:util";
import { shown } from "@strongroom/base/shown";
import { sqliteCell, strictText } from "./cells.ts";
import type { Cell } from "./cells.ts";
import { tableFacts } from "./columns.ts";
import type { TableFacts } from "./columns.ts";
import type { DatabaseRow, MoveDatabase, Run } from "./database.ts";
import { qualified, quoted } from "./database.ts";
import { tableUnfit } from "./definition.ts";
import type { MoveDefinition } from "./definition.ts";

/** A row as far as the move reads it. */
export interface TableRow {
  /** The text of its key: the record's id. */
  readonly key: string;
  /** In the order of the definition's columns. */
  readonly cells: readonly Cell[];
  /** Others, as text: column -> value. */
  readonly beside: ReadonlyMap<string, string | null>;
}

/** Which rows a page has. */
export type RowChoice = "all" | "with-values" | "empty";

/** Values of one row, in the order of the columns. */
export type RowValues = readonly (string | Buffer | null)[];

/** Whether there is nothing in a row that could move. */
export const isEmpty = ({ cells }: TableRow): boolean => cells.every((cell) => cell === null);

/** The table of one move. */
export class MovingTable {
  readonly facts: TableFacts;
  readonly #definition: MoveDefinition;
  readonly #selected: string;
  readonly #table: string;
  readonly #key: string;
  readonly #isPostgres: boolean;

  constructor(database: MoveDatabase, definition: MoveDefinition, facts: TableFacts) {
    this.facts = facts;
    this.#definition = definition;
    this.#isPostgres = database.dialect === "postgres";
    this.#table = qualified(database, definition.table);
    this.#key = quoted(definition.key);
    const expressions = [
      this.#isPostgres ? `${this.#key}::text as key` : `${this.#key} as key, typeof(${this.#key}) as key_type`,
      ...facts.columns.map(({ name, kind }, index) => this.#expression(quoted(name), kind, `c${index}`)),
      ...facts.beside.map(({ name }, index) => `cast(${quoted(name)} as text) as b${index}`),
    ];
    this.#selected = `select ${expressions.join(", ")} from ${this.#table}`;
  }

  /** Looks at the table. @throws VaultError `move-table-unfit` */
  static async open(database: MoveDatabase, definition: MoveDefinition): Promise<MovingTable> {
    return new MovingTable(
      database,
      definition,
      await database.transaction((run) => tableFacts(database, run, definition)),
    );
  }

  /** Rows in the order of the key, after one of them. */
  async page(run: Run, after: string | null, limit: number, choice: RowChoice): Promise<readonly TableRow[]> {
    const names = this.facts.columns.map(({ name }) => quoted(name));
    const conditions = [
      ...(after === null ? [] : [`${this.#key} > ${this.#parameter(1)}`]),
      ...(choice === "all"
        ? []
        : [
            `(${names.map((name) => `${name} is ${choice === "empty" ? "" : "not "}null`).join(choice === "empty" ? " and " : " or ")})`,
          ]),
    ];
    const where = conditions.length === 0 ? "" : ` where ${conditions.join(" and ")}`;
    const rows = await run(
      `${this.#selected}${where} order by ${this.#key} limit ${limit}`,
      after === null ? [] : [this.#keyValue(after)],
    );
    return rows.map((row) => this.#row(row));
  }

  /** The rows of these keys that are there; a text that is no key of the table has none. */
  async rows(run: Run, keys: readonly string[], how: "look" | "lock" = "look"): Promise<readonly TableRow[]> {
    const known = keys.filter((key) => this.#isKey(key));
    if (known.length === 0) return [];
    if (this.#isPostgres) {
      const lock = how === "lock" ? " for no key update" : "";
      const text = `${this.#selected} where ${this.#key} = any($1::text[]::${this.facts.key.type}[])`;
      const rows = (await run(`${text} order by ${this.#key}${lock}`, [known])).map((row) => this.#row(row));
      // A cast to varchar(n) cuts.
      return rows.filter(({ key }) => known.includes(key));
    }
    const found: TableRow[] = [];
    for (const key of known)
      for (const row of await run(`${this.#selected} where ${this.#key} = $1`, [this.#keyValue(key)]))
        found.push(this.#row(row));
    return found.filter(({ key }) => known.includes(key));
  }

  /** Empties the columns of rows that are as they were read. @returns the keys of those */
  async empty(run: Run, rows: readonly TableRow[]): Promise<readonly string[]> {
    const same = await this.#unchanged(run, rows);
    for (const { key } of same) await this.clear(run, key);
    return same.map(({ key }) => key);
  }

  /** Empties the columns of a row, whatever is in them. */
  async clear(run: Run, key: string): Promise<void> {
    const cleared = this.facts.columns.map(({ name }) => `${quoted(name)} = null`).join(", ");
    await run(`update ${this.#table} set ${cleared} where ${this.#key} = ${this.#parameter(1)}`, [this.#keyValue(key)]);
  }

  /** Fills the columns of a row, whatever is in them. */
  async fill(run: Run, key: string, values: RowValues): Promise<void> {
    const set = this.facts.columns.map(({ name, type, kind }, index) => {
      const given = `$${index + 2}`;
      if (!this.#isPostgres) return `${quoted(name)} = ${given}`;
      // Bytes go as hexadecimal text: what a driver makes of a Buffer is its own affair.
      return `${quoted(name)} = ${kind === "bytes" ? `decode(${given}::text, 'hex')` : `${given}::text::${type}`}`;
    });
    const bound = values.map((value) => (value instanceof Buffer && this.#isPostgres ? value.toString("hex") : value));
    await run(`update ${this.#table} set ${set.join(", ")} where ${this.#key} = ${this.#parameter(1)}`, [
      this.#keyValue(key),
      ...bound,
    ]);
  }

  /** Rows among these that are as they were read, locked until the transaction ends. */
  async #unchanged(run: Run, rows: readonly TableRow[]): Promise<readonly TableRow[]> {
    const now = new Map(
      (
        await this.rows(
          run,
          rows.map(({ key }) => key),
          "lock",
        )
      ).map((row) => [row.key, row.cells]),
    );
    return rows.filter(({ key, cells }) => isDeepStrictEqual(now.get(key), cells));
  }

  #expression(name: string, kind: string, as: string): string {
    if (!this.#isPostgres)
      return `case typeof(${name}) when 'text' then cast(${name} as blob) else ${name} end as ${as}, typeof(${name}) as t${as}`;
    return `${kind === "bytes" ? `encode(${name}, 'hex')` : `${name}::text`} as ${as}`;
  }

  #row(row: DatabaseRow): TableRow {
    const { columns, beside } = this.facts;
    if (!this.#isPostgres && row["key_type"] !== "integer" && row["key_type"] !== "text")
      throw tableUnfit([
        `its key holds a value that is ${shown(String(row["key_type"]))}: whole numbers or texts are keys`,
      ]);
    return {
      key: String(row["key"]),
      cells: columns.map(({ kind }, index) => this.#cell(row, kind, index)),
      beside: new Map(beside.map(({ name }, index) => [name, textOrNull(row[`b${index}`])])),
    };
  }

  #cell(row: DatabaseRow, kind: TableFacts["columns"][number]["kind"], index: number): Cell {
    const value = row[`c${index}`];
    if (value === null || value === undefined) return null;
    if (kind === "own") return sqliteCell(value, row[`tc${index}`], this.#definition.columns[index]?.as);
    if (kind === "bytes") return { kind, bytes: Buffer.from(value as string, "hex") };
    return { kind, text: value as string };
  }

  /** Whether a text is a key exactly as the database writes it. */
  #isKey(text: string): boolean {
    const { type } = this.facts.key;
    if (this.#isPostgres) return isKeyText(text, type);
    return !/int/i.test(type) || isKeyText(text, "bigint");
  }

  #parameter(index: number): string {
    return this.#isPostgres ? `$${index}::text::${this.facts.key.type}` : `$${index}`;
  }

  /** SQLite compares a number with numbers only. */
  #keyValue(key: string): string | bigint {
    return !this.#isPostgres && /int/i.test(this.facts.key.type) && isKeyText(key, "bigint") ? BigInt(key) : key;
  }
}

function textOrNull(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return strictText(value);
  const scalar = value as string | bigint | number;
  return String(scalar);
}

/** Bits of whole numbers. */
const BITS: Readonly<Record<string, bigint>> = { smallint: 15n, integer: 31n, bigint: 63n };

/** Whether a text is a key exactly as the database writes it: asking PostgreSQL with another one is an error. */
function isKeyText(text: string, type: string): boolean {
  const bits = Object.hasOwn(BITS, type) ? BITS[type] : undefined;
  if (bits !== undefined) {
    if (!/^(?:0|-?[1-9]\d{0,18})$/.test(text)) return false;
    const value = BigInt(text);
    return value < 1n << bits && value >= -(1n << bits);
  }
  return type !== "uuid" || /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}
