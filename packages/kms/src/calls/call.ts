// One call of one operation under way: who calls, when, on which region's state; which keys it may use (access), the
// secrets of those keys (material), and what it changes.

import { KeyAccess } from "../access/key-access.ts";
import type { Asker } from "../access/key-access.ts";
import type { Principal } from "../auth/principals.ts";
import { KmsError } from "../errors.ts";
import type { KeyMaterial } from "../keys/key-material.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import type { Change, RegionData } from "../store/region-data.ts";
import type { Store } from "../store/store.ts";

/** What a call is made of. */
export interface CallInit extends Pick<
  Call,
  | "account"
  | "principal"
  | "now"
  | "requestId"
  | "eventId"
  | "remoteAddress"
  | "secureTransport"
  | "userAgent"
  | "material"
  | "store"
> {
  /** The store's epoch when the call began. */
  readonly epoch: number;
  readonly region: string;
}

/** A call of one operation by one principal. */
export class Call implements Asker {
  readonly store: Store;
  readonly account: string;
  readonly principal: Principal;
  /** Milliseconds. */
  readonly now: number;
  readonly requestId: string;
  readonly eventId: string;
  readonly remoteAddress: string;
  readonly secureTransport: boolean;
  /** The header of that name; null: none was sent. */
  readonly userAgent: string | null;
  readonly region: RegionData;
  /** Finds keys and aliases, and lets the call use those that its principal may use. */
  readonly access: KeyAccess;
  /** Works with the secrets of keys. */
  readonly material: KeyMaterial;
  /** ARNs of the keys that the call touched, for the audit. */
  readonly touched: Set<string> = new Set<string>();
  /** The input once it is read: policy conditions ask about it. */
  input: Readonly<Record<string, unknown>> = {};
  readonly #epoch: number;
  readonly #changes: Change[] = [];

  constructor(init: CallInit) {
    this.store = init.store;
    this.#epoch = init.epoch;
    this.material = init.material;
    this.account = init.account;
    this.principal = init.principal;
    this.now = init.now;
    this.requestId = init.requestId;
    this.eventId = init.eventId;
    this.remoteAddress = init.remoteAddress;
    this.secureTransport = init.secureTransport;
    this.userAgent = init.userAgent;
    this.region = init.store.region(init.region);
    this.access = new KeyAccess(this);
  }

  /** Changes made so far; they are committed with the audit entry before the answer leaves. */
  get changes(): readonly Change[] {
    return this.#changes;
  }

  /** Changes the state. An operation does this last, after everything that can fail and without waiting in between. */
  apply(...changes: readonly Change[]): void {
    this.applyAll(changes);
  }

  /** The same for changes of which there can be any number. */
  applyAll(changes: readonly Change[]): void {
    if (this.#epoch !== this.store.epoch) throw new KmsError("store-failed", "what the call saw was taken back.");
    this.store.apply(changes);
    for (const change of changes) this.#changes.push(change);
  }

  /** Notes the use of a key in a cryptographic operation (GetKeyLastUsage). */
  noteUse(key: KeyRecord, operation: string): void {
    const use = { operation, at: this.now, eventId: this.eventId, requestId: this.requestId };
    this.apply({ kind: "put-last-use", region: key.region, keyId: key.keyId, use });
  }
}
