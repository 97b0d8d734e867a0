/**
 * What owes a wrap, by pages: keys of the key store before versions of records, because a key is the key of many
 * versions. One cursor for both.
 */
import { shown } from "@strongroom/base/shown";
import type { Dependencies } from "../limits.ts";
import type { Concerned } from "../audit/auditor.ts";
import { ENTRY_RECORDS } from "../records/asked.ts";
import type { Asked } from "../records/asked.ts";
import { DEFAULT_LIST_LIMIT } from "../records/pages.ts";
import type { DamagedRecord, ListOptions } from "../records/pages.ts";
import { cursorInvalid, decodeCursor, page, requirePageLimit } from "../records/paging.ts";
import type { Shown } from "../records/paging.ts";
import type { Inventory, InventoryItem } from "../stores/inventory.ts";
import type { KeyPlace } from "../stores/key-store.ts";
import type { VersionPlace } from "../stores/rows.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { WrapSet, WrapSetId } from "../stores/wrap-set.ts";

/** What is the same of everything that has fewer wraps than it should. */
export interface Owed {
  /** Where a wrap is missing, in order of the key's ARN, and what the region said when it was to be made. */
  readonly regions: readonly { readonly region: string; readonly reason: string }[];
  /** Since when it has the wraps that it has: ISO 8601, UTC. */
  readonly since: string;
  /** Repairs of it that failed one after the other. */
  readonly attempts: number;
  /** Why the last repair failed, null when none has. */
  readonly lastProblem: { readonly code: string; readonly at: string } | null;
}

/** A version that has fewer wraps than it should. */
export interface OwedVersion extends VersionPlace, Owed {
  readonly kind: "version";
}

/** A key that has fewer wraps than it should. Its owner is an opaque id, a tenant or a collection, never a name. */
export interface OwedKey extends Owed {
  readonly kind: "key";
  readonly key: KeyPlace;
}

/**
 * A row that is no debt. What it says of itself is cut, and everything but printable ASCII escaped: of a key, its kind
 * where a version has its collection, and its owner for the id.
 */
export interface DamagedDebt extends DamagedRecord {
  readonly kind: "version" | "key";
  readonly collection: string;
}

/** A page of what has fewer wraps than it should. */
export interface DebtPage {
  readonly items: readonly (OwedVersion | OwedKey)[];
  /** Rows of the page that are no debts. Left out when there is none. */
  readonly damaged?: readonly DamagedDebt[] | undefined;
  /** Cursor of the next page, null on the last one. */
  readonly next: string | null;
}

/** What is listed, in its order. */
export interface DebtSources {
  /** Null: the vault has no key store. */
  readonly keys: ListingInventory<KeyPlace> | null;
  readonly versions: ListingInventory<VersionPlace>;
}

type ListingInventory<Place> = Pick<Inventory<Place>, "sets" | "list">;

/** `vault.debts`. What has a damaged wrap set is among them: what it owes is not known. */
export async function debts(
  { keys, limits }: Pick<Dependencies, "keys" | "limits">,
  sources: DebtSources,
  { cursor, limit = DEFAULT_LIST_LIMIT }: ListOptions,
): Promise<DebtPage> {
  requirePageLimit(limit, limits.listItems);
  const from = cursor === undefined ? FIRST : decodeDebtCursor(cursor);
  await keys.requireReader();
  const first =
    from.list === "keys" && sources.keys !== null
      ? await rowsOf(sources.keys, { list: "keys", after: from.after, limit: limit + 1 }, owedKey)
      : [];
  const more = limit + 1 - first.length;
  const after = from.list === "versions" ? from.after : null;
  const second =
    more === 0 ? [] : await rowsOf(sources.versions, { list: "versions", after, limit: more }, owedVersion);
  const found = [...first, ...second];
  return page(found, limit, {
    show: ({ shown: what }) => what,
    cursorAfter: ({ list, position }) => [DEBT_FORMAT, list, position],
  });
}

/** Tells the audit which records and whose keys a page names; also of one that names none. */
export async function tellDebts(
  { rowAddresses }: Pick<Dependencies, "rowAddresses">,
  { items }: Pick<DebtPage, "items">,
  asked: Asked,
): Promise<void> {
  if (!asked.isAudited) return;
  const people = items.flatMap((item) => (item.kind === "key" && isSubjectId(item.key.owner) ? [item.key.owner] : []));
  const concerned = items.flatMap((item): readonly Concerned[] => {
    if (item.kind === "key") return [];
    const { collection, id, version } = item;
    // Of sealed ids the row has a keyed hash.
    const own = rowAddresses.isSealed(collection) ? null : id;
    return [{ row: { collection, id }, id: own, version, scheme: null, subject: null, about: [] }];
  });
  const parts = Math.max(1, Math.ceil(Math.max(people.length, concerned.length) / ENTRY_RECORDS));
  for (let part = 0; part < parts; part++) {
    const [start, end] = [part * ENTRY_RECORDS, (part + 1) * ENTRY_RECORDS];
    await asked.tell("list", "done", {
      people: people.slice(start, end),
      concerned: concerned.slice(start, end),
      details: { list: "debts" },
    });
  }
}

/** An item as the page shows it, and where the list goes on behind it. */
interface Row {
  readonly list: DebtList;
  readonly position: string;
  readonly shown: Shown<OwedVersion | OwedKey, DamagedDebt>;
}

interface Part {
  readonly list: DebtList;
  readonly after: string | null;
  readonly limit: number;
}

async function rowsOf<Place>(
  inventory: ListingInventory<Place>,
  { list, after, limit }: Part,
  show: (item: InventoryItem<Place>, owed: Owed | null) => Row["shown"],
): Promise<readonly Row[]> {
  const sets = new Map<WrapSetId, WrapSet | null>();
  for (const { id, set } of await inventory.sets()) if (set === null || set.missing.length > 0) sets.set(id, set);
  const items = sets.size === 0 ? [] : await inventory.list({ sets: [...sets.keys()], after, limit });
  return items.map((item) => ({
    list,
    position: item.position,
    shown: show(item, owing(item, sets.get(item.wrapSet) ?? null)),
  }));
}

function owedVersion({ place, collection, id }: InventoryItem, owed: Owed | null): Row["shown"] {
  if (place !== null && owed !== null) return { item: { kind: "version", ...place, ...owed } };
  return { damaged: { kind: "version", collection: shown(collection), id: shown(id), code: "record-tampered" } };
}

function owedKey({ place, collection, id }: InventoryItem<KeyPlace>, owed: Owed | null): Row["shown"] {
  if (place !== null && owed !== null) return { item: { kind: "key", key: place, ...owed } };
  return { damaged: { kind: "key", collection: shown(collection), id: shown(id), code: "subject-key-tampered" } };
}

/** Null when it cannot be told. */
function owing({ since, failure }: InventoryItem<unknown>, set: WrapSet | null): Owed | null {
  if (set === null || since === null) return null;
  const regions = set.missing
    .toSorted((a, b) => (a.keyArn < b.keyArn ? -1 : 1))
    .map(({ region, reason }) => ({ region: shown(region), reason: shown(reason) }));
  const lastProblem = failure === null ? null : { code: shown(failure.code), at: shown(failure.at) };
  return { regions, since, attempts: failure?.attempts ?? 0, lastProblem };
}

type DebtList = "keys" | "versions";

/** Where a list begins that has no cursor. */
const FIRST: Pick<Part, "list" | "after"> = { list: "keys", after: null };

/** What a cursor begins with, so that another list's is not taken for one of this. */
const DEBT_FORMAT = "debt-4";

/** Of a position in a store's inventory, in characters. */
const MAX_POSITION_LENGTH = 2048;

/** The store's position in it, and of which store. @throws VaultError `cursor-invalid` */
function decodeDebtCursor(cursor: string): Pick<Part, "list" | "after"> {
  const [format, list, after, ...rest] = decodeCursor(cursor);
  if (format !== DEBT_FORMAT || after === undefined || rest.length > 0) throw cursorInvalid();
  if ((list !== "keys" && list !== "versions") || after.length > MAX_POSITION_LENGTH) throw cursorInvalid();
  return { list, after };
}
