import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { rawAesKeyring } from "@strongroom/envelope";
import { openVault } from "@strongroom/vault";
import {
  DEFAULT_MEMORY_LIMITS,
  memoryAuditLog,
  MemoryAuditStorage,
  type MemoryAuditLogOptions,
  MemoryKeyStorage,
  memoryKeyStore,
  MemoryStorage,
  memoryStore,
  type MemoryStoreOptions,
} from "@strongroom/vault/memory";

export const use = async (): Promise<void> => {
  const options: MemoryStoreOptions = { storage: new MemoryStorage(), capabilities: DEFAULT_MEMORY_LIMITS };
  const [one, other] = [memoryStore(options), memoryStore(options)];
  await one.jobs.add("repair", ["all"]);
  assert.equal((await other.jobs.list()).length, 1);
  await other.close();

  const ofLogs: MemoryAuditLogOptions = { storage: new MemoryAuditStorage() };
  const log = memoryAuditLog(ofLogs);
  await log.published(7);
  assert.equal((await memoryAuditLog(ofLogs).state()).published, 7);
  await log.close();

  const keys = { store: memoryKeyStore({ storage: new MemoryKeyStorage() }), scope: "tenant" as const };
  const keyring = rawAesKeyring({ keyNamespace: "use", keyName: "1", wrappingKey: randomBytes(32) });
  await using vault = await openVault({ store: one, keyring, keys, collections: { users: { ids: "sealed" } } });
  await vault.put({ collection: "users", id: "ada@example.org" }, { name: "Ada" }, { tenant: "acme" });
  assert.deepEqual(
    (await vault.list("users")).items.map(({ id }) => id),
    ["ada@example.org"],
  );
};

/** What the compiler is to refuse. */
export function misuse(): void {
  // @ts-expect-error a clock answers a Date
  memoryStore({ clock: () => 42 });
  // @ts-expect-error storage is not a number
  memoryAuditLog({ storage: 42 });
  // @ts-expect-error a store is not a number
  memoryStore() satisfies number;
}
