import assert from "node:assert/strict";
import {
  memoryAuditLog,
  MemoryAuditStorage,
  MemoryKeyStorage,
  memoryKeyStore,
  MemoryStorage,
  memoryStore,
} from "@strongroom/vault/memory";
import { auditLogContract, keyStoreContract, storeContract, type NewStorage } from "@strongroom/vault/store-contract";

export const use = async (): Promise<void> => {
  const newStorage: NewStorage = () => {
    const storage = new MemoryStorage();
    let passed = 0;
    const clock = (): Date => new Date(Date.now() + passed);
    return Promise.resolve({
      open: () => Promise.resolve(memoryStore({ storage, clock })),
      passTime: (ms) => {
        passed += ms;
        return Promise.resolve();
      },
    });
  };
  const bodies: Parameters<NonNullable<NonNullable<Parameters<typeof storeContract>[2]>["test"]>>[1][] = [];
  storeContract("memory", newStorage, {
    capabilities: { callerTransaction: true },
    test: (_name, body) => bodies.push(body),
  });
  assert.ok(bodies.length > 50);
  // Storage of this kind needs no test's end.
  for (const body of bodies.slice(0, 10)) await body(undefined as never);

  const ofKeys: typeof bodies = [];
  const newKeys = (): ReturnType<Parameters<typeof keyStoreContract>[1]> => {
    const storage = new MemoryKeyStorage();
    return Promise.resolve({
      open: () => Promise.resolve(memoryKeyStore({ storage })),
      passTime: () => Promise.resolve(),
    });
  };
  keyStoreContract("memory", newKeys, { test: (_name, body) => ofKeys.push(body) });
  assert.ok(ofKeys.length > 30);
  for (const body of ofKeys.slice(0, 5)) await body(undefined as never);

  const ofLogs: typeof bodies = [];
  const newLogs = (): ReturnType<Parameters<typeof auditLogContract>[1]> => {
    const storage = new MemoryAuditStorage();
    return Promise.resolve({
      open: () => Promise.resolve(memoryAuditLog({ storage })),
      passTime: () => Promise.resolve(),
    });
  };
  auditLogContract("memory", newLogs, { test: (_name, body) => ofLogs.push(body) });
  assert.ok(ofLogs.length > 30);
  for (const body of ofLogs.slice(0, 3)) await body(undefined as never);
};

/** What the compiler is to refuse. */
export function misuse(): void {
  // @ts-expect-error storage is made for each test
  storeContract("none");
  // @ts-expect-error stores are opened
  storeContract("none", () => Promise.resolve({}));
  // @ts-expect-error a store of keys is no log of the audit
  auditLogContract("none", () => Promise.resolve({ open: () => Promise.resolve(memoryKeyStore()) }));
}
