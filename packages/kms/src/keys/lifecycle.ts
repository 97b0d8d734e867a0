// What time does to keys, whether or not anyone calls: deletions that are due destroy the key, imported material
// expires, keys rotate. It is applied before the next call is answered, so that no call ever sees a key that should
// be gone or old.

import { serviceEvent } from "../audit/event.ts";
import type { AuditEvent } from "../audit/event.ts";
import { DAY } from "../clock.ts";
import type { Change } from "../store/region-data.ts";
import type { Store } from "../store/store.ts";
import type { KeyMaterial } from "./key-material.ts";
import type { KeyRecord } from "./key-record.ts";
import { stateOf } from "./key-rules.ts";
import { rotateWithNewMaterial } from "./rotation.ts";

/** What was applied, to be committed with the call at hand. */
export interface Settlement {
  readonly changes: readonly Change[];
  readonly events: readonly AuditEvent[];
}

interface Due {
  /** AWS's name of the event in CloudTrail. */
  readonly event: "DeleteKey" | "DeleteExpiredKeyMaterial" | "RotateKey";
  readonly key: KeyRecord;
  readonly at: number;
  readonly changes: readonly Change[];
}

const NOTHING: Settlement = { changes: [], events: [] };
const NEVER = Number.POSITIVE_INFINITY;

/** Watches the keys of a store for what is due. */
export class Lifecycle {
  readonly #store: Store;
  readonly #material: KeyMaterial;
  readonly #account: string;
  #nextDue = Number.NEGATIVE_INFINITY;
  #seenVersion = -1;

  constructor(store: Store, material: KeyMaterial, account: string) {
    this.#store = store;
    this.#material = material;
    this.#account = account;
  }

  /** Applies everything that is due at `now`, in the order in which it fell due. */
  settle(now: number): Settlement {
    if (this.#seenVersion === this.#store.keysVersion && now < this.#nextDue) return NOTHING;
    const changes: Change[] = [];
    const events: AuditEvent[] = [];
    for (let due = this.#firstDue(now); due !== null; due = this.#firstDue(now)) {
      this.#store.apply(due.changes);
      for (const change of due.changes) changes.push(change);
      events.push(serviceEvent({ name: due.event, key: due.key, account: this.#account, at: due.at }));
    }
    this.#nextDue = NEVER;
    for (const key of this.#keys()) this.#nextDue = Math.min(this.#nextDue, dueTime(key));
    this.#seenVersion = this.#store.keysVersion;
    return { changes, events };
  }

  #firstDue(now: number): Due | null {
    let first: KeyRecord | null = null;
    for (const key of this.#keys()) {
      if (dueTime(key) <= now && (first === null || dueTime(key) < dueTime(first))) first = key;
    }
    return first === null ? null : this.#due(first);
  }

  #due(key: KeyRecord): Due {
    const at = dueTime(key);
    if (deletionTime(key) === at) return { event: "DeleteKey", key, at, changes: this.#deletion(key, at) };
    if (expiryTime(key) === at) {
      const backingKeys = key.backingKeys.map((backing) =>
        backing.sealed !== null && backing.imported?.validTo === at ? { ...backing, sealed: null } : backing,
      );
      return {
        event: "DeleteExpiredKeyMaterial",
        key,
        at,
        changes: [{ kind: "put-key", key: { ...key, backingKeys } }],
      };
    }
    return { event: "RotateKey", key, at, changes: this.#rotation(key, at) };
  }

  /** A primary key that waited for its last replica starts its own window when that is gone. */
  #deletion(key: KeyRecord, at: number): readonly Change[] {
    const others = this.#related(key).filter((record) => record.region !== key.region);
    const [last] = others;
    const gone: Change = { kind: "delete-key", region: key.region, keyId: key.keyId };
    if (others.length !== 1 || last?.deletion?.waitsForReplicas !== true) return [gone];
    const deletion = { ...last.deletion, at: at + last.deletion.windowDays * DAY, waitsForReplicas: false };
    return [gone, { kind: "put-key", key: { ...last, deletion } }];
  }

  #rotation(key: KeyRecord, at: number): readonly Change[] {
    const next =
      key.automaticRotation === null
        ? null
        : { ...key.automaticRotation, nextAt: at + key.automaticRotation.periodDays * DAY };
    const related = [
      { ...key, automaticRotation: next },
      ...this.#related(key).filter((record) => record.region !== key.region),
    ];
    return rotateWithNewMaterial(related, { kind: "AUTOMATIC", at }, this.#material);
  }

  #related(key: KeyRecord): readonly KeyRecord[] {
    return key.primaryRegion === null ? [key] : [...this.#keys()].filter((record) => record.keyId === key.keyId);
  }

  *#keys(): Iterable<KeyRecord> {
    for (const region of this.#store.regions.values()) yield* region.keys.values();
  }
}

const dueTime = (key: KeyRecord): number => Math.min(deletionTime(key), expiryTime(key), rotationTime(key));

const deletionTime = (key: KeyRecord): number =>
  key.deletion !== null && !key.deletion.waitsForReplicas ? key.deletion.at : NEVER;

const expiryTime = (key: KeyRecord): number =>
  key.backingKeys.reduce(
    (first, { sealed, imported }) => (sealed === null ? first : Math.min(first, imported?.validTo ?? NEVER)),
    NEVER,
  );

/** A key that is disabled or on its way out does not rotate; enabled again, it catches up. */
const rotationTime = (key: KeyRecord): number =>
  key.automaticRotation !== null && stateOf(key) === "Enabled" ? key.automaticRotation.nextAt : NEVER;
