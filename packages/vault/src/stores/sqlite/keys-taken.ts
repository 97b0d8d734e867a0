/**
 * Keys as the writer is given them, in plain values that another thread can be sent: what was checked and copied at the
 * call, in the form in which it is kept.
 */
import { bucketOf } from "../bucket.ts";
import type { Epoch } from "../gate.ts";
import type { Creation, KeyPlace, KeyRewrap, NameRow, NewKey } from "../key-store.ts";
import { wrapsForm } from "../key-wraps.ts";
import { wrapSetRow } from "./wrap-set-rows.ts";
import type { WrapSetRow } from "./wrap-set-rows.ts";
import type { Rewrapped } from "./write-inventory.ts";

export interface TakenKey extends Omit<NewKey, "createdAt" | "wraps" | "wrapSet"> {
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** All versions of a key are in the same. */
  readonly bucket: number;
  readonly wraps: Uint8Array;
  readonly wrapSet: WrapSetRow;
}

export interface TakenCreation {
  readonly epoch: Epoch;
  readonly name: NameRow | null;
  readonly key: TakenKey | null;
}

export interface TakenKeyRewrap extends Rewrapped {
  readonly place: KeyPlace;
  readonly wraps: Uint8Array | null;
  readonly moved: KeyRewrap["moved"];
  /** Of the kind that the key has afterwards. */
  readonly bucket: number;
  readonly wrapSet: WrapSetRow;
  readonly since: number;
}

export const takenCreation = ({ epoch, name, key }: Creation): TakenCreation => ({
  epoch,
  name,
  key: key === null ? null : takenKey(key),
});

const takenKey = ({ createdAt, wraps, wrapSet, ...key }: NewKey): TakenKey => ({
  ...key,
  createdAt: Date.parse(createdAt),
  bucket: bucketOf({ collection: key.kind, id: key.owner }),
  wraps: wrapsForm(wraps),
  wrapSet: wrapSetRow(wrapSet),
});

export const takenKeyRewrap = ({ wraps, wrapSet, at, ...change }: KeyRewrap): TakenKeyRewrap => ({
  ...change,
  wraps: wraps === null ? null : wrapsForm(wraps),
  bucket: bucketOf({ collection: change.moved?.as?.kind ?? change.place.kind, id: change.place.owner }),
  wrapSet: wrapSetRow(wrapSet),
  since: Date.parse(at),
});
