/**
 * A row as a document, and a document as a row: what moves, and the reasons why something does not. Reasons name
 * columns, never what is in them.
 */
import { isDeepStrictEqual } from "node:util";
import { shown } from "@strongroom/base/shown";
import type { JsonObject, JsonValue } from "../records/document.ts";
import { givenBack, taken } from "./cells.ts";
import { contextOf, tableUnfit } from "./definition.ts";
import type { MoveDefinition } from "./definition.ts";
import { makeMessage, messageIn, openMessage } from "./messages.ts";
import type { MessageOpener } from "./messages.ts";
import { isEmpty } from "./table.ts";
import type { MovingTable, RowValues, TableRow } from "./table.ts";
import type { Run } from "./database.ts";

/** What a row comes to. */
export type RowDocument =
  | { readonly kind: "document"; readonly document: JsonObject; readonly subject: string | null }
  /** All columns are null, or the row is not there. */
  | { readonly kind: "nothing" }
  | { readonly kind: "refused"; readonly reasons: readonly string[] };

/** Makes documents of the rows of one move, and rows of documents. */
export class RowDocuments {
  readonly #definition: MoveDefinition;
  readonly #opener: MessageOpener | null;

  /** @throws VaultError `move-table-unfit`: there are messages, and nothing to open them with */
  constructor(definition: MoveDefinition, opener: MessageOpener | null) {
    if (opener === null && definition.columns.some(({ holds }) => holds !== "values"))
      throw tableUnfit(["it has columns of messages, and no keyring is given that opens them"]);
    this.#definition = definition;
    this.#opener = opener;
  }

  /** Asks a KMS where the row holds messages: never within a transaction. */
  async of(row: TableRow | undefined): Promise<RowDocument> {
    if (row === undefined || isEmpty(row)) return { kind: "nothing" };
    const reasons: string[] = [];
    const members: [string, JsonValue][] = [];
    for (const [index, column] of this.#definition.columns.entries()) {
      const found = await this.#member(row, index);
      if ("unfit" in found) reasons.push(`${shown(column.name)}: ${found.unfit}`);
      else members.push([column.name, found.value]);
    }
    const { subject } = this.#definition;
    const person = personOf(this.#definition, row);
    if (subject !== undefined && person === null) reasons.push(`${shown(subject)}: it names nobody`);
    if (reasons.length > 0) return { kind: "refused", reasons };
    return { kind: "document", document: Object.fromEntries(members), subject: person };
  }

  async #member(row: TableRow, index: number): Promise<{ readonly value: JsonValue } | { readonly unfit: string }> {
    const cell = row.cells[index] ?? null;
    const { holds } = this.#definition.columns[index] ?? { holds: "values" };
    if (cell === null) return { value: null };
    const message = messageIn(cell);
    if (message === null) return holds === "messages" ? { unfit: "no message, in a column of messages" } : taken(cell);
    if (holds === "values" || this.#opener === null)
      return { unfit: "a message already, which is not encrypted a second time: move the column as messages" };
    const context = this.#contextOf(row.key, row.beside);
    if (context === null) return { unfit: "a message whose context names a column that is null" };
    const opened = await openMessage(message, context, this.#opener);
    return "text" in opened ? { value: opened.text } : opened;
  }

  /**
   * A document's values in the order of the columns; messages are made again where the column holds messages alone.
   * Asks a KMS then: never within a transaction.
   *
   * @throws VaultError `move-table-unfit`: it has a member that is no column, or a message cannot be made
   */
  async valuesOf(
    document: JsonObject,
    { key, beside }: Pick<TableRow, "key" | "beside">,
    { facts }: MovingTable,
  ): Promise<RowValues> {
    const { columns } = this.#definition;
    const extra = Object.keys(document).find((name) => !columns.some((column) => column.name === name));
    if (extra !== undefined) throw tableUnfit([`the document has a member that is no column: ${shown(extra)}`]);
    return Promise.all(
      columns.map(async ({ name, holds }, index) => {
        const kind = facts.columns[index]?.kind ?? "text";
        const value = document[name];
        if (holds !== "messages" || value === null || value === undefined || this.#opener === null)
          return givenBack(value, kind);
        const context = this.#contextOf(key, beside);
        if (context === null) throw tableUnfit(["the context of a message names a column that is null"]);
        const as = kind === "bytes" ? "bytes" : "base64";
        return makeMessage(textOf(value), context, { opener: this.#opener, as });
      }),
    );
  }

  /**
   * Fills a row with a document and looks whether it is the same when it is read again: a column may round or cut.
   *
   * @throws VaultError `move-table-unfit`
   */
  async fill(
    run: Run,
    table: MovingTable,
    filled: { readonly key: string; readonly values: RowValues; readonly document: JsonObject },
  ): Promise<void> {
    await table.fill(run, filled.key, filled.values);
    const [row] = await table.rows(run, [filled.key]);
    if (row === undefined) throw tableUnfit(["there is no row of this key: insert it first"]);
    for (const [index, { name, holds }] of this.#definition.columns.entries()) {
      if (holds === "messages") continue;
      const now = taken(row.cells[index] ?? null);
      const meant = filled.document[name] ?? null;
      if (!("value" in now) || !isDeepStrictEqual(now.value, meant))
        throw tableUnfit([`${shown(name)} does not hold this value exactly`]);
    }
  }

  #contextOf(key: string, beside: ReadonlyMap<string, string | null>): Readonly<Record<string, string>> | null {
    return contextOf(this.#definition, (column) =>
      column === this.#definition.key ? key : (beside.get(column) ?? null),
    );
  }
}

/** Whom a row is about; null: the definition does not say, or the row names nobody. */
export function personOf({ subject, key }: MoveDefinition, row: TableRow): string | null {
  if (subject === undefined) return null;
  return subject === key ? row.key : (row.beside.get(subject) ?? null);
}

/** What a message of a value holds. */
function textOf(value: JsonValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The columns in which two documents differ. */
export function differing(one: JsonObject, other: JsonObject): readonly string[] {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].filter((name) => !isDeepStrictEqual(one[name], other[name]));
}
