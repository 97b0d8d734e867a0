import assert from "node:assert/strict";
import type { AuditLog, KeyStore, Store } from "@strongroom/vault";
import {
  DEFAULT_POSTGRES_AUDIT_LOG_OPTIONS,
  DEFAULT_POSTGRES_STORE_OPTIONS,
  inspectPostgres,
  inspectPostgresAudit,
  inspectPostgresKeys,
  migratePostgres,
  migratePostgresAudit,
  migratePostgresKeys,
  postgresAuditLog,
  postgresKeyStore,
  postgresStore,
} from "@strongroom/vault/postgres";
import type { PostgresPool, PostgresStoreOptions } from "@strongroom/vault/postgres";

/** A pool whose database cannot be reached. What a database answers is tested where there is one. */
const unreachablePool = (): PostgresPool => ({
  connect: () => Promise.reject(Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" })),
  end: () => Promise.resolve(),
});
const unreachable = unreachablePool();
const ofKeys = unreachablePool();
const ofLog = unreachablePool();

export const use = async (): Promise<void> => {
  const options: Partial<PostgresStoreOptions> = { ...DEFAULT_POSTGRES_STORE_OPTIONS, schema: "people" };
  const calls: readonly (() => Promise<unknown>)[] = [
    (): Promise<Store> => postgresStore(unreachable, options),
    (): Promise<readonly string[]> => migratePostgres(unreachable, { schema: "people" }),
    (): Promise<unknown> => inspectPostgres(unreachable, { schema: "people" }),
    (): Promise<KeyStore> => postgresKeyStore(ofKeys, { schema: "people_keys" }),
    (): Promise<readonly string[]> => migratePostgresKeys(ofKeys, { schema: "people_keys" }),
    (): Promise<unknown> => inspectPostgresKeys(ofKeys, { schema: "people_keys" }),
    (): Promise<AuditLog> => postgresAuditLog(ofLog, { ...DEFAULT_POSTGRES_AUDIT_LOG_OPTIONS, schema: "people_audit" }),
    (): Promise<readonly string[]> => migratePostgresAudit(ofLog, { schema: "people_audit" }),
    (): Promise<unknown> => inspectPostgresAudit(ofLog, { schema: "people_audit" }),
  ];
  for (const call of calls) await assert.rejects(call, { name: "VaultError", code: "store-failed" });
};

/** What the compiler is to refuse. */
export function misuse(): void {
  // @ts-expect-error a schema is a name
  void postgresStore(unreachable, { schema: 42 });
  // @ts-expect-error a pool is no address
  void postgresStore("postgres://localhost/people");
}
