// Where the stores of a run lie, as an order tells it to a process, and how that process opens one.

import { dirname, join } from "node:path";

import type { AuditLog, KeyStore, Store } from "@strongroom/vault";

import type { StoreKind } from "./rows.ts";

/** A store's place. That of a store in memory is the process itself. */
export type Place =
  | { readonly kind: "memory" }
  | { readonly kind: "sqlite"; readonly file: string }
  /** With the password of a server that lives as long as the run. */
  | { readonly kind: "postgres"; readonly url: string };

/** Connections that a process may have: fewer than its operations, as in a service. */
export const CONNECTIONS = 10;

/** Loads what opens the store, so that opening it is all that is left to do. */
export async function storeOpener(place: Place): Promise<() => Promise<Store>> {
  return (OPENERS as Readonly<Record<StoreKind, (place: Place) => Promise<() => Promise<Store>>>>)[place.kind](place);
}

/** The same for the key store that lies beside it. */
export async function keyStoreOpener(place: Place): Promise<() => Promise<KeyStore>> {
  const openers = KEY_STORES as Readonly<Record<StoreKind, (place: Place) => Promise<() => Promise<KeyStore>>>>;
  return openers[place.kind](place);
}

/** The same for the audit's log. */
export async function auditLogOpener(place: Place): Promise<() => Promise<AuditLog>> {
  const openers = AUDIT_LOGS as Readonly<Record<StoreKind, (place: Place) => Promise<() => Promise<AuditLog>>>>;
  return openers[place.kind](place);
}

/** That of one kind of store. */
export type PlaceOf<Kind extends StoreKind> = Place & { readonly kind: Kind };

const OPENERS: { readonly [Kind in StoreKind]: (place: PlaceOf<Kind>) => Promise<() => Promise<Store>> } = {
  memory: async () => {
    const { memoryStore } = await import("@strongroom/vault/memory");
    return async () => memoryStore();
  },
  sqlite: async ({ file }) => {
    const { sqliteStore } = await import("@strongroom/vault/sqlite");
    return () => sqliteStore(file);
  },
  postgres: async ({ url }) => {
    const { postgresStore } = await import("@strongroom/vault/postgres");
    const { default: pg } = await import("pg");
    return () => {
      const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS });
      return postgresStore(pool, { endPool: true });
    };
  },
};

const KEY_STORES: { readonly [Kind in StoreKind]: (place: PlaceOf<Kind>) => Promise<() => Promise<KeyStore>> } = {
  memory: async () => {
    const { memoryKeyStore } = await import("@strongroom/vault/memory");
    return async () => memoryKeyStore();
  },
  sqlite: async ({ file }) => {
    const { sqliteKeyStore } = await import("@strongroom/vault/sqlite");
    return () => sqliteKeyStore(join(dirname(file), "keys.sqlite"));
  },
  postgres: async ({ url }) => {
    const { postgresKeyStore } = await import("@strongroom/vault/postgres");
    const { default: pg } = await import("pg");
    return () => {
      const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS });
      return postgresKeyStore(pool, { endPool: true });
    };
  },
};

const AUDIT_LOGS: { readonly [Kind in StoreKind]: (place: PlaceOf<Kind>) => Promise<() => Promise<AuditLog>> } = {
  memory: async () => {
    const { memoryAuditLog } = await import("@strongroom/vault/memory");
    return async () => memoryAuditLog();
  },
  sqlite: async ({ file }) => {
    const { sqliteAuditLog } = await import("@strongroom/vault/sqlite");
    return () => sqliteAuditLog(join(dirname(file), "audit.sqlite"));
  },
  postgres: async ({ url }) => {
    const { postgresAuditLog } = await import("@strongroom/vault/postgres");
    const { default: pg } = await import("pg");
    return () => {
      const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS });
      return postgresAuditLog(pool, { endPool: true });
    };
  },
};
