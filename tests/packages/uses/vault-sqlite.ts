import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { rawAesKeyring } from "@strongroom/envelope";
import { openVault, parseAddress, parseSubject, parseVersion } from "@strongroom/vault";
import type { AuditLog, Epoch, Store, Unit, WriteId } from "@strongroom/vault";
import {
  DEFAULT_SQLITE_AUDIT_LOG_OPTIONS,
  DEFAULT_SQLITE_STORE_OPTIONS,
  inspectDatabase,
  sqliteAuditLog,
  type SqliteAuditLogOptions,
  SQLITE_CAPABILITIES,
  sqliteKeyStore,
  sqliteStore,
  type SqliteStoreOptions,
} from "@strongroom/vault/sqlite";
import { inFolder } from "./support/folder.ts";

/** Where the package is installed a thread writes, and in a bundle the program's own: both must store it. */
export const use = (): Promise<void> =>
  inFolder(async (folder) => {
    const options: SqliteStoreOptions = DEFAULT_SQLITE_STORE_OPTIONS;
    const path = join(folder, "records.sqlite");
    const store: Store = await sqliteStore(path, options);
    assert.deepEqual(store.capabilities, SQLITE_CAPABILITIES);
    const unit: Unit = {
      writeId: randomUUID() as string as WriteId,
      address: parseAddress({ collection: "people", id: "42" }),
      base: null,
      change: {
        kind: "write",
        epoch: 0 as Epoch,
        versions: [
          {
            version: parseVersion(1),
            scheme: 1,
            subject: parseSubject("42"),
            about: [],
            createdAt: new Date().toISOString(),
            wrapSet: { wraps: [], target: 0, missing: [] },
            message: Buffer.from("a message"),
          },
        ],
        subjects: [],
        sealedId: null,
      },
    };
    assert.deepEqual(await store.records.apply([unit], { atomic: true }), [{ kind: "made" }]);
    const { stored } = await store.records.read(unit.address, null);
    assert.equal(Buffer.from(stored?.message ?? []).toString(), "a message");
    await store.close();
    assert.equal((await inspectDatabase(path)).state, "sound");
    assert.ok((await stat(path)).size > 0);

    const keyring = rawAesKeyring({ keyNamespace: "use", keyName: "1", wrappingKey: randomBytes(32) });
    const keysPath = join(folder, "keys.sqlite");
    const stores = { store: await sqliteStore(join(folder, "people.sqlite")), keys: await sqliteKeyStore(keysPath) };
    const ofLog: SqliteAuditLogOptions = { ...DEFAULT_SQLITE_AUDIT_LOG_OPTIONS, mark: true };
    const logPath = join(folder, "audit.sqlite");
    const log: AuditLog = await sqliteAuditLog(logPath, ofLog);
    const vault = await openVault({ store: stores.store, keyring, keys: { store: stores.keys }, audit: { log } });
    const ada = { collection: "people", id: "1" };
    await vault.put(ada, { name: "Ada" }, { subject: "ada" });
    assert.equal((await vault.get(ada)).subject, "ada");
    await vault.audit?.sequence();
    assert.ok(((await vault.audit?.status())?.size ?? 0) > 0);
    await vault.close();
    assert.equal((await inspectDatabase(logPath, { kind: "audit" })).state, "sound");
    assert.equal((await inspectDatabase(keysPath, { kind: "keys" })).state, "sound");
  });

/** What the compiler is to refuse. */
export function misuse(store: Store): void {
  // @ts-expect-error a path is text
  void sqliteStore(42);
  // @ts-expect-error a store is not a number
  store satisfies number;
}
