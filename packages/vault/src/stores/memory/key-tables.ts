/**
 * What stores of keys keep in memory, besides what every store does; and the memory itself, apart from the stores over
 * it, so that several of them share it as processes share a database.
 */
import type { KeyName, KeyPlace, NameRow, NewKey } from "../key-store.ts";
import type { SubjectId } from "../subjects.ts";
import { CommonTables } from "./common-tables.ts";
import type { WrappedRow } from "./common-tables.ts";

/** One version of a key as it is kept. */
export interface KeptKey extends Omit<NewKey, "wrapSet">, WrappedRow {}

/** Everything that stores of keys share. */
export class KeyTables extends CommonTables {
  /** By owner: an owner's keys of every kind, in the order in which they were made. */
  readonly keys: Map<string, readonly KeptKey[]> = new Map<string, readonly KeptKey[]>();
  readonly names: Map<SubjectId, NameRow> = new Map<SubjectId, NameRow>();
  /** Whose each tag is. */
  readonly tags: Map<string, SubjectId> = new Map<string, SubjectId>();
  /** Erased owners, and since when. */
  readonly tombstones: Map<string, string> = new Map<string, string>();

  /** The newest of the audit's log. */
  checkpoint: string | null = null;

  /** All versions of a key, newest first. */
  versionsOf({ kind, owner }: KeyName): readonly KeptKey[] {
    return (this.keys.get(owner) ?? []).filter((key) => key.kind === kind).sort((a, b) => b.ordinal - a.ordinal);
  }

  /** Null: there is none. */
  find(owner: string, version: KeyPlace["version"]): KeptKey | null {
    return this.keys.get(owner)?.find((key) => key.version === version) ?? null;
  }
}

/** A tag as the key of a map. */
export const tagKey = (tag: Uint8Array): string => Buffer.from(tag).toString("hex");

/** What stores of this folder work on; nobody else gets at it. */
export let keyTablesOf: (storage: MemoryKeyStorage) => KeyTables;

/**
 * The memory that key stores share. It holds what they wrote for as long as it lives itself, also when all are closed.
 *
 * @example
 * ```ts
 * import { memoryKeyStore, MemoryKeyStorage } from "@strongroom/vault/memory";
 *
 * const storage = new MemoryKeyStorage();
 * const [one, other] = [memoryKeyStore({ storage }), memoryKeyStore({ storage })];
 * await one.gate.bind("the vault");
 * console.log((await other.gate.current()).peer); // prints: the vault
 * ```
 */
export class MemoryKeyStorage {
  readonly #tables: KeyTables = new KeyTables();

  static {
    keyTablesOf = (storage) => storage.#tables;
  }
}
