/**
 * Which versions owe a wrap, by pages.
 */
import { shown } from "@strongroom/base/shown";
import type { Dependencies } from "../limits.ts";
import { DEFAULT_LIST_LIMIT } from "../records/pages.ts";
import type { DamagedRecord, ListOptions } from "../records/pages.ts";
import { cursorInvalid, decodeCursor, page, requirePageLimit } from "../records/paging.ts";
import type { Shown } from "../records/paging.ts";
import type { InventoryItem } from "../stores/inventory.ts";
import type { VersionPlace } from "../stores/rows.ts";
import type { WrapSet, WrapSetId } from "../stores/wrap-set.ts";

/** A version that has fewer wraps than it should. */
export interface OwedVersion extends VersionPlace {
  /** Where a wrap is missing, in order of the key's ARN, and what the region said when the message was sealed. */
  readonly regions: readonly { readonly region: string; readonly reason: string }[];
  /** Since when it has the wraps that it has: ISO 8601, UTC. */
  readonly since: string;
  /** Repairs of it that failed one after the other. */
  readonly attempts: number;
  /** Why the last repair failed, null when none has. */
  readonly lastProblem: { readonly code: string; readonly at: string } | null;
}

/** A page of versions that have fewer wraps than they should. */
export interface DebtPage {
  readonly items: readonly OwedVersion[];
  /** Rows of the page that are no debts of versions. Left out when there is none. */
  readonly damaged?: readonly (DamagedRecord & { readonly collection: string })[] | undefined;
  /** Cursor of the next page, null on the last one. */
  readonly next: string | null;
}

/** `vault.debts`. Versions whose wrap set is damaged are among them: what they owe is not known. */
export async function debts(
  { store: { inventory }, keys, limits }: Pick<Dependencies, "store" | "keys" | "limits">,
  { cursor, limit = DEFAULT_LIST_LIMIT }: ListOptions,
): Promise<DebtPage> {
  requirePageLimit(limit, limits.listItems);
  const after = cursor === undefined ? null : decodeDebtCursor(cursor);
  await keys.requireReader();
  const sets = new Map<WrapSetId, WrapSet | null>();
  for (const { id, set } of await inventory.sets()) if (set === null || set.missing.length > 0) sets.set(id, set);
  const found = sets.size === 0 ? [] : await inventory.list({ sets: [...sets.keys()], after, limit: limit + 1 });
  return page(found, limit, {
    show: (item) => owing(item, sets.get(item.wrapSet) ?? null),
    cursorAfter: ({ position }) => [DEBT_FORMAT, position],
  });
}

function owing(
  { place, collection, id, since, failure }: InventoryItem,
  set: WrapSet | null,
): Shown<OwedVersion, DamagedRecord & { readonly collection: string }> {
  if (place === null || set === null || since === null)
    return { damaged: { collection: shown(collection), id: shown(id), code: "record-tampered" } };
  const regions = set.missing
    .toSorted((a, b) => (a.keyArn < b.keyArn ? -1 : 1))
    .map(({ region, reason }) => ({ region: shown(region), reason: shown(reason) }));
  const lastProblem = failure === null ? null : { code: shown(failure.code), at: shown(failure.at) };
  return { item: { ...place, regions, since, attempts: failure?.attempts ?? 0, lastProblem } };
}

/** What a cursor begins with, so that another list's is not taken for one of this. */
const DEBT_FORMAT = "debt-3";

/** Of a position in a store's inventory, in characters. */
const MAX_POSITION_LENGTH = 2048;

/** The store's position in it. @throws VaultError `cursor-invalid` */
function decodeDebtCursor(cursor: string): string {
  const [format, position, ...rest] = decodeCursor(cursor);
  if (format !== DEBT_FORMAT || position === undefined || rest.length > 0) throw cursorInvalid();
  if (position.length > MAX_POSITION_LENGTH) throw cursorInvalid();
  return position;
}
