/**
 * What a record's rows say together. Head and version rows are written in one transaction, so a head behind its newest
 * row, or rows without a live head, were made by a hand in the database and are never read over.
 */
import type { Version } from "./address.ts";
import { VaultError } from "./errors.ts";
import type { HeadState, RecordRows } from "./store.ts";

export type RecordState =
  | {
      readonly kind: "absent";
      /** The last number used, null when the record never was. */ readonly last: Version | null;
    }
  | { readonly kind: "live"; readonly version: Version };

/** Of each state of the head: the number that the newest version row must have. */
const NEWEST_ROW: Readonly<Record<HeadState, (version: Version) => Version | null>> = {
  live: (version) => version,
  removed: () => null,
};

/** @throws VaultError `record-rolled-back`, `record-tampered` */
export function recordState({ head, newestRow }: RecordRows): RecordState {
  if (head === null) {
    if (newestRow !== null)
      throw new VaultError("record-tampered", "The record has versions but no head: its head row was deleted");
    return { kind: "absent", last: null };
  }
  const expected = NEWEST_ROW[head.state](head.version);
  if (newestRow !== expected) {
    if (newestRow !== null && newestRow > head.version) {
      throw new VaultError(
        "record-rolled-back",
        `The record points to version ${head.version}, but version ${newestRow} exists: its head was set back`,
      );
    }
    throw new VaultError(
      "record-tampered",
      head.state === "removed"
        ? "The record was removed, but versions of it were put back"
        : `The row of the newest version ${head.version} is missing`,
    );
  }
  return head.state === "live" ? { kind: "live", version: head.version } : { kind: "absent", last: head.version };
}

/** The number of the next version: never one that was used, also not before a removal. */
export function nextVersion(state: RecordState): Version {
  const last = state.kind === "live" ? state.version : (state.last ?? 0);
  return (last + 1) as Version;
}
