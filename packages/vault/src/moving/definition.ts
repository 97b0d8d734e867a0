/**
 * What a move is about: a table, its key, the columns whose values go into the vault, and where to.
 */
import { isPlain } from "@strongroom/base/options";
import { VaultError } from "../errors.ts";
import { parseCollection } from "../records/address.ts";

/** A column that moves. */
export interface MoveColumn {
  /** Of the table, and the member of the document. */
  readonly name: string;
  /**
   * `values`: what is there is the value, and what looks like a message is refused. `messages`: messages in the AWS
   * Encryption SDK format, which are opened; what is none is refused. `mixed`: both.
   */
  readonly holds: "values" | "messages" | "mixed";
  /** `text`: numbers become strings of their digits, as JSON cannot hold all of them. Only of SQLite. */
  readonly as?: "text";
}

/** What moves where. */
export interface MoveDefinition {
  /** 1 to 63 lower-case letters, digits, `_` and `-`. */
  readonly name: string;
  readonly table: string;
  /** Of one column, unique and never null; its text is the record's id. */
  readonly key: string;
  readonly columns: readonly MoveColumn[];
  readonly collection: string;
  /** Column that names the person; left out: as the collection declares. */
  readonly subject?: string;
  /**
   * The context that each message must have been made for, exactly. `{column}` in a value stands for that column's
   * text in the same row. Needed with columns of messages.
   */
  readonly context?: Readonly<Record<string, string>>;
}

const MOST_COLUMNS = 200;

/**
 * Checks a definition, of a caller or of the table of moves.
 *
 * @throws VaultError `move-table-unfit`, `collection-invalid`
 */
export function parseDefinition(given: unknown): MoveDefinition {
  const problems: string[] = [];
  const { name, table, key, columns, collection, subject, context } = isPlain(given)
    ? (given as Readonly<Record<string, unknown>>)
    : {};
  if (typeof name !== "string" || !/^[a-z][a-z0-9_-]{0,62}$/.test(name))
    problems.push("its name must be 1 to 63 lower-case letters, digits, _ and -, and begin with a letter");
  if (!isName(table)) problems.push("it must name a table");
  if (!isName(key)) problems.push("it must name the column of the table's key");
  if (subject !== undefined && !isName(subject)) problems.push("what names the person must be a column");
  const taken = columnsOf(columns, problems);
  const names = taken.map((column) => column.name);
  if (new Set(names).size < names.length) problems.push("a column is named twice");
  if (names.some((one) => one === key || one === subject))
    problems.push("the column of the key, and that which names the person, stay in the table");
  if (context !== undefined && !isTexts(context)) problems.push("the context must be pairs of texts");
  if (taken.some(({ holds }) => holds !== "values") && context === undefined)
    problems.push("messages are opened only for the context that they must have: give it, {} where they have none");
  if (problems.length > 0) throw tableUnfit(problems);
  return Object.freeze({
    name: name as string,
    table: table as string,
    key: key as string,
    columns: taken,
    collection: parseCollection(collection as string),
    ...(subject === undefined ? {} : { subject: subject as string }),
    ...(context === undefined ? {} : { context: { ...(context as Record<string, string>) } }),
  });
}

function columnsOf(given: unknown, problems: string[]): readonly MoveColumn[] {
  if (!Array.isArray(given) || given.length === 0 || given.length > MOST_COLUMNS) {
    problems.push(`it must name 1 to ${MOST_COLUMNS} columns`);
    return [];
  }
  return (given as unknown[]).flatMap((one): MoveColumn[] => {
    const { name, holds, as } = isPlain(one) ? (one as Readonly<Record<string, unknown>>) : {};
    const isKind = holds === "values" || holds === "messages" || holds === "mixed";
    if (!isName(name) || !isKind || (as !== undefined && as !== "text")) {
      problems.push("a column is { name, holds: values | messages | mixed }");
      return [];
    }
    return [{ name, holds, ...(as === undefined ? {} : { as }) }];
  });
}

/** A name as a database has it: it is quoted wherever it is used. */
function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "" && Buffer.byteLength(value) <= 255 && !value.includes("\0");
}

function isTexts(value: unknown): boolean {
  return isPlain(value) && Object.values(value).every((one) => typeof one === "string");
}

export function tableUnfit(problems: readonly string[]): VaultError {
  return new VaultError("move-table-unfit", `The move cannot be made: ${problems.join("; ")}`);
}

/** The columns that a context names in braces. */
export function contextColumns({ context = {} }: Pick<MoveDefinition, "context">): readonly string[] {
  const named = Object.values(context).flatMap((text) => [...text.matchAll(/\{([^{}]+)\}/g)].map(([, name]) => name));
  return [...new Set(named as string[])];
}

/** The context of one row. */
export function contextOf(
  { context = {} }: Pick<MoveDefinition, "context">,
  textOf: (column: string) => string | null,
): Readonly<Record<string, string>> | null {
  const missing: string[] = [];
  const pairs = Object.entries(context).map(([name, text]) => [
    name,
    text.replace(/\{([^{}]+)\}/g, (_, column: string) => {
      const value = textOf(column);
      if (value === null) missing.push(column);
      return value ?? "";
    }),
  ]);
  return missing.length === 0 ? (Object.fromEntries(pairs) as Record<string, string>) : null;
}
