/**
 * Lists by pages: the records of a collection, and the collections. A cursor is a position, not a snapshot: what is
 * written behind it is not seen, what is written ahead of it is.
 */
import { shown } from "@strongroom/base/shown";
import { mapBounded } from "@strongroom/base/work";
import { envelopeFailure } from "../envelope-failure.ts";
import { VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import type { ListedRecord } from "../stores/rows.ts";
import { isCollection, parseId } from "./address.ts";
import type { Collection, RecordId } from "./address.ts";
import { cursorInvalid, decodeCursor, page, requirePageLimit } from "./paging.ts";
import type { Shown } from "./paging.ts";
import { recordState } from "./read.ts";

/** Which page of a list. */
export interface ListOptions {
  /** `next` of the page before; left out: the first page. */
  readonly cursor?: string;
  /** Items of a page; {@link DEFAULT_LIST_LIMIT} when left out. */
  readonly limit?: number;
}

/** A record that is there and cannot be given, because its rows are not as a vault wrote them. */
export interface DamagedRecord {
  /** As it is in the database, cut, and everything but printable ASCII escaped: it need not be an id. */
  readonly id: string;
  readonly code: VaultErrorCode;
}

/** A page of a collection's records. */
export interface ListResult {
  readonly items: readonly { readonly id: string; readonly version: number; readonly updatedAt: string }[];
  /** Records of the page that are not as they were written. Left out when there is none. */
  readonly damaged?: readonly DamagedRecord[] | undefined;
  /** Cursor of the next page, null on the last one. */
  readonly next: string | null;
}

/** Records that are there now; a collection whose records were all removed is listed with 0. */
export interface CollectionCount {
  readonly collection: Collection;
  readonly records: number;
}

/** Items of a page when the caller names no number. */
export const DEFAULT_LIST_LIMIT = 100;

/** `vault.list`. */
export async function list(
  { store, keys, subjectKeys, rowAddresses, limits }: Omit<Dependencies, "clock" | "turns">,
  collection: Collection,
  { cursor, limit = DEFAULT_LIST_LIMIT }: ListOptions,
): Promise<ListResult> {
  requirePageLimit(limit, limits.listItems);
  const after = cursor === undefined ? null : positionAfter(LIST_FORMAT, collection, cursor);
  await keys.requireReader();
  await rowAddresses.requireKind(collection);
  const found = await store.records.list(collection, { after, limit: limit + 1 });
  if (found === null) throw new VaultError("collection-absent", "There is no such collection");
  const shownRows = await mapBounded(found.slice(0, limit), limits.batchConcurrency, (row) => listed(row, ownId));
  const told = new Map(shownRows.map((one, index) => [found[index], one]));
  return page(found, limit, {
    show: (row) => told.get(row) ?? { damaged: { id: shown(row.id), code: "record-tampered" } },
    cursorAfter: ({ position }) => [LIST_FORMAT, collection, text(position)],
  });

  /** The record's own id, as its row has it. */
  async function ownId({ id, sealedId }: ListedRecord): Promise<RecordId> {
    if (subjectKeys === null) return parseId(id);
    if (!rowAddresses.isDeclared(collection, { sealedId }))
      throw new VaultError("collection-differs", "The row is of the other kind than its collection");
    const rowId = parseId(id);
    return sealedId === null ? rowId : subjectKeys.openId(sealedId, { collection, rowId }, undefined);
  }
}

type Listed = Shown<ListResult["items"][number], DamagedRecord>;

async function listed(row: ListedRecord, ownId: (row: ListedRecord) => Promise<RecordId>): Promise<Listed> {
  const { id, updatedAt, ...rows } = row;
  try {
    const state = recordState(rows);
    if (state.kind === "live" && updatedAt !== null)
      return { item: { id: await ownId(row), version: state.version, updatedAt } };
    return { damaged: { id: shown(id), code: "record-tampered" } };
  } catch (error) {
    const { code } = envelopeFailure(error);
    if (FAILS_THE_LIST.has(code)) throw error;
    return { damaged: { id: shown(id), code: code === "id-invalid" ? "record-tampered" : code } };
  }
}

/** Whether what was thrown for one row is not wrong with that row alone. */
export const failsTheList = (error: unknown): boolean => FAILS_THE_LIST.has(envelopeFailure(error).code);

/** What is not wrong with one row: the rest of the page would meet it too. */
const FAILS_THE_LIST: ReadonlySet<VaultErrorCode> = new Set<VaultErrorCode>([
  "aborted",
  "deadline-exceeded",
  "encryption-failed",
  "key-not-configured",
  "keyring-overloaded",
  "regions-unavailable",
  "store-closed",
  "store-failed",
]);

/** `vault.collections`: what has a name that no collection has is left out. */
export async function collections({
  store,
  keys,
}: Pick<Dependencies, "store" | "keys">): Promise<readonly CollectionCount[]> {
  await keys.requireReader();
  return (await store.records.collections()).flatMap(({ name, records }) =>
    isCollection(name) ? [{ collection: name, records }] : [],
  );
}

/** What a cursor begins with, so that one list's is not taken for another's. */
const LIST_FORMAT = "list-2";

/** A place is bytes: what lies in a row need not be text that can be written as JSON. */
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
const bytes = (value: string): Uint8Array => Buffer.from(value, "base64url");

/** The position of a cursor of a list of this format and of what is listed. @throws VaultError `cursor-invalid` */
export function positionAfter(of: string, expected: string, cursor: string): Uint8Array {
  const [format, listed, position, ...rest] = decodeCursor(cursor);
  if (format !== of || listed === undefined || position === undefined || rest.length > 0) throw cursorInvalid();
  if (listed !== expected)
    throw new VaultError("cursor-invalid", `The cursor is of another ${of === LIST_FORMAT ? "collection" : "list"}`);
  return bytes(position);
}
