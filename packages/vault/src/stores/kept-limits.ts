/**
 * What is asked of kept messages, checked and copied at the call, the same on every store.
 */
import { parseAddress, parseVersion } from "../records/address.ts";
import { refused, text, whole, wholeNumber } from "./checked.ts";
import type { DroppedKept, KeptMessages } from "./kept.ts";
import type { Lease } from "./jobs.ts";
import { parseMoment } from "./moment.ts";
import type { VersionPlace } from "./rows.ts";

/** Most versions whose kept messages are let go of in one call. */
export const MAX_DROPPED = 1000;

/** What a kept message is put back by. */
export type Restore = Parameters<KeptMessages["restore"]>[0];

/** @throws VaultError `store-failed` */
export function takeRestore({ place, seen, epoch, at, lease }: Restore): Restore {
  return whole(() => ({
    place: takePlace(place),
    seen: { wrapSet: seen.wrapSet, revision: wholeNumber(seen.revision, 0) },
    epoch,
    at: parseMoment(at),
    lease: takeLease(lease),
  }));
}

/** What is let go of. */
export interface KeptDrop {
  readonly items: readonly DroppedKept[];
  readonly lease: Lease | null;
}

/** @throws VaultError `store-failed` */
export function takeDrop({ items, lease }: KeptDrop): KeptDrop {
  if (items.length > MAX_DROPPED)
    throw refused(`one call lets go of at most ${MAX_DROPPED} kept messages, not ${items.length}`);
  return whole(() => ({ items: items.map(takeDropped), lease: takeLease(lease) }));
}

function takeDropped(item: DroppedKept): DroppedKept {
  return "position" in item ? { position: text(item.position, MAX_POSITION) } : takePlace(item);
}

const MAX_POSITION = 2048;
const POSITION = /^-?\d{1,19} -?\d{1,19}$/;

/** Where a kept message lies, of a store that tells it as its bucket and its version's number; null: nowhere. */
export function parseKeptPosition(position: string): { readonly bucket: bigint; readonly key: bigint } | null {
  const numbers = POSITION.test(position) ? position.split(" ").map(BigInt) : [];
  const [bucket, key] = numbers;
  if (bucket === undefined || key === undefined || numbers.some((one) => one !== BigInt.asIntN(64, one))) return null;
  return { bucket, key };
}

function takePlace(place: VersionPlace): VersionPlace {
  return { ...parseAddress(place), version: parseVersion(place.version) };
}

function takeLease(lease: Lease | null): Lease | null {
  return lease === null ? null : { job: lease.job, partition: lease.partition, fence: lease.fence };
}
