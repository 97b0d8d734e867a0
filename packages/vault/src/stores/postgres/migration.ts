/**
 * What a schema of a store is made by, and compared with.
 */
import type { StoreFunction } from "./functions/function.ts";
import type { SchemaName } from "./schema-name.ts";

/** The schema of one kind of store. */
export interface StoreSchema {
  /** What it is called where one is missing: "a vault". */
  readonly what: "vault" | "key store" | "audit log";
  readonly migrations: readonly PostgresMigration[];
  readonly functions: readonly StoreFunction[];
  /** All else that the migrations make: each thing's name, and how it is defined. */
  readonly lines: readonly (readonly [name: string, form: string])[];
}

/** One step of the schema. */
export interface PostgresMigration {
  readonly name: string;
  /** Statements that are made in one transaction with all other pending ones. */
  readonly up: (schema: SchemaName) => readonly string[];
  /** Indexes that are made afterwards, beside running writers, each outside of a transaction. */
  readonly indexes?: readonly ConcurrentIndex[];
  /** From here on the lowest `STORE_READER` and `STORE_WRITER` that may use the store; left out: as before. */
  readonly minReader?: number;
  readonly minWriter?: number;
}

/** An index that is made while others write. */
export interface ConcurrentIndex {
  readonly name: string;
  /** What follows `create index concurrently NAME`: `on "s".t (a, b)`. */
  readonly on: (schema: SchemaName) => string;
}
