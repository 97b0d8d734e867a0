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
import type { ReleasedRead } from "../audit/auditor.ts";
import type { ListedRecord, ListPage } from "../stores/rows.ts";
import { isCollection, parseId } from "./address.ts";
import type { Collection, RecordId, Version } from "./address.ts";
import { isOfOneRecord, OVERTAKEN, untilNewest } from "./asked.ts";
import type { Asked } from "./asked.ts";
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
  dependencies: Listing,
  collection: Collection,
  { cursor, limit = DEFAULT_LIST_LIMIT }: ListOptions,
  asked: Asked,
): Promise<ListResult> {
  const { keys, rowAddresses, limits } = dependencies;
  asked.uses(collection);
  requirePageLimit(limit, limits.listItems);
  const after = cursor === undefined ? null : positionAfter(LIST_FORMAT, collection, cursor);
  await keys.requireReader();
  await rowAddresses.requireKind(collection);
  return untilNewest(() => pageOf(dependencies, collection, { after, limit }, asked));
}

type Listing = Omit<Dependencies, "audit" | "clock" | "turns">;

async function pageOf(
  { store, rowAddresses, limits }: Listing,
  collection: Collection,
  { after, limit }: ListPage,
  asked: Asked,
): Promise<ListResult | typeof OVERTAKEN> {
  const found = await store.records.list(collection, { after, limit: limit + 1 });
  if (found === null) throw new VaultError("collection-absent", "There is no such collection");
  const rows = found.slice(0, limit);
  const read = await mapBounded(rows, limits.batchConcurrency, (row) => listed(row, ownId));
  const all = await asTold(rows.map((row, index) => ({ row, one: read[index] ?? tampered(row) })));
  if (all === OVERTAKEN) return OVERTAKEN;
  const told = new Map(all.map(({ row, one }) => [row, one]));
  return page(found, limit, {
    show: (row) => told.get(row) ?? tampered(row),
    cursorAfter: ({ position }) => [LIST_FORMAT, collection, text(position)],
  });

  /** Tells what is given out: records, and which of them are damaged, or not as the log knows them. */
  async function asTold(all: readonly ListedRow[]): Promise<readonly ListedRow[] | typeof OVERTAKEN> {
    if (!asked.isAudited) return all;
    const kms = asked.takeCalls();
    let given = all;
    let isNewest: boolean;
    try {
      isNewest = await asked.released("list", given.flatMap(readOf(kms)));
    } catch (error) {
      if (!isOfOneRecord(error)) throw error;
      const compared = await withoutDiffering(given);
      if (compared === OVERTAKEN) return OVERTAKEN;
      given = compared;
      isNewest = await asked.released("list", given.flatMap(readOf(kms)));
    }
    if (!isNewest) return OVERTAKEN;
    await tellDamaged(given);
    return given;
  }

  /** Those that are not as the log knows them are damaged: one record that was set back withholds no other one. */
  async function withoutDiffering(all: readonly ListedRow[]): Promise<readonly ListedRow[] | typeof OVERTAKEN> {
    const problems = await asked.problemsOf(all.flatMap(readOf([])));
    if (problems === OVERTAKEN) return OVERTAKEN;
    const left = problems.values();
    return all.map(({ row, one }) => {
      const code = "item" in one ? (left.next().value ?? null) : null;
      return { row, one: code === null ? one : { damaged: { id: shown(row.id), code } } };
    });
  }

  async function tellDamaged(all: readonly ListedRow[]): Promise<void> {
    const damaged = all.flatMap(({ row, one }) =>
      "item" in one ? [] : { code: one.damaged.code, record: { ...ofNobody(row), id: null, version: null } },
    );
    await asked.tellByCode("list", damaged);
  }

  /** As a read that is about to be given out; the calls of a KMS go with the first. */
  function readOf(kms: ReleasedRead["kms"]): (listed: ListedRow) => readonly ReleasedRead[] {
    let left = kms;
    return ({ row, one }) => {
      if ("damaged" in one) return [];
      const { id, version } = one.item;
      const calls = left;
      left = [];
      const named = { id: id as RecordId, version: version as Version };
      return [{ ...ofNobody(row), ...named, rows: row, message: null, kms: calls }];
    };
  }

  function ofNobody({ id }: ListedRecord): Pick<ReleasedRead, "row" | "scheme" | "subject" | "about"> {
    return { row: { collection, id: id as RecordId }, scheme: null, subject: null, about: [] };
  }

  /** The record's own id, as its row has it. */
  async function ownId({ id, sealedId }: ListedRecord): Promise<RecordId> {
    return rowAddresses.ownId({ collection, id: parseId(id) }, sealedId);
  }
}

type Listed = Shown<ListResult["items"][number], DamagedRecord>;

/** A row, and what it comes to. */
interface ListedRow {
  readonly row: ListedRecord;
  readonly one: Listed;
}

const tampered = ({ id }: ListedRecord): Listed => ({ damaged: { id: shown(id), code: "record-tampered" } });

async function listed(row: ListedRecord, ownId: (row: ListedRecord) => Promise<RecordId>): Promise<Listed> {
  const { id, updatedAt, ...rows } = row;
  try {
    const state = recordState(rows);
    if (state.kind === "live" && updatedAt !== null)
      return { item: { id: await ownId(row), version: state.version, updatedAt } };
    return tampered(row);
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
