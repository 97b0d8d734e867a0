/**
 * What the vault gives back: plain data, safe to print except for `document`.
 */
import type { VaultErrorCode } from "./errors.ts";
import type { JsonObject } from "./document.ts";
import type { OwedVersion, WrapCount } from "./store.ts";

export interface WrapSummary extends WrapCount {
  /** Regions whose wrap is missing and owed. */
  readonly missing: readonly string[];
}

export interface PutResult {
  readonly collection: string;
  readonly id: string;
  readonly subject: string;
  readonly version: number;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** `created` also for a record that was removed before. */
  readonly outcome: "created" | "replaced";
  readonly wraps: WrapSummary;
}

export type PutManyResult =
  | {
      readonly id: string;
      readonly outcome: "created" | "replaced";
      readonly version: number;
      readonly wraps: WrapSummary;
    }
  | { readonly id: string; readonly outcome: "unchanged" | "kept"; readonly version: number }
  | { readonly id: string; readonly outcome: "refused"; readonly code: VaultErrorCode; readonly detail: string };

export interface VaultRecord {
  readonly collection: string;
  readonly id: string;
  readonly subject: string;
  readonly version: number;
  /** When this version was written: ISO 8601, UTC. */
  readonly createdAt: string;
  readonly document: JsonObject;
}

/** What is known of a version without opening it. Not authenticated: `get` is what proves a version. */
export interface VersionInfo {
  readonly version: number;
  readonly subject: string;
  readonly createdAt: string;
  readonly messageBytes: number;
  readonly wraps: WrapCount;
}

export interface RemoveResult {
  readonly collection: string;
  readonly id: string;
  /** The last version that the record had; the next one written gets the number after it. */
  readonly lastVersion: number;
  readonly removedAt: string;
}

/** A page of versions that have fewer wraps than they should. */
export interface DebtPage {
  readonly items: readonly OwedVersion[];
  /** Cursor of the next page, null on the last one. */
  readonly next: string | null;
}

export interface ListResult {
  readonly items: readonly { readonly id: string; readonly version: number; readonly updatedAt: string }[];
  /** Cursor of the next page, null on the last one. */
  readonly next: string | null;
}
