/**
 * What is asked of kept messages, checked and copied at the call, the same on every store.
 */
import { parseAddress, parseVersion } from "../records/address.ts";
import { refused, whole, wholeNumber } from "./checked.ts";
import type { KeptMessages } from "./kept.ts";
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
  readonly places: readonly VersionPlace[];
  readonly lease: Lease | null;
}

/** @throws VaultError `store-failed` */
export function takeDrop({ places, lease }: KeptDrop): KeptDrop {
  if (places.length > MAX_DROPPED)
    throw refused(`one call lets go of at most ${MAX_DROPPED} kept messages, not ${places.length}`);
  return whole(() => ({ places: places.map(takePlace), lease: takeLease(lease) }));
}

function takePlace(place: VersionPlace): VersionPlace {
  return { ...parseAddress(place), version: parseVersion(place.version) };
}

function takeLease(lease: Lease | null): Lease | null {
  return lease === null ? null : { job: lease.job, partition: lease.partition, fence: lease.fence };
}
