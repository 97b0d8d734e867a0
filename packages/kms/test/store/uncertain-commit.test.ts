// Commits of which it is not known whether they are on the disk: what the server, its witness and the next start make
// of them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { verifyAudit } from "@strongroom/kms";
import { pino } from "pino";
import { serviceEvent } from "../../src/audit/event.ts";
import type { KeyRecord } from "../../src/keys/key-record.ts";
import { closeCustody, openCustody } from "../../src/store/custody.ts";
import type { Custody } from "../../src/store/custody.ts";
import type { OpenDatabase } from "../../src/store/database.ts";
import type { Change } from "../../src/store/region-data.ts";
import { Store } from "../../src/store/store.ts";
import { openWitness } from "../../src/witnesses/open-witness.ts";
import { headOf, publisherFor } from "../../src/witnesses/publisher.ts";
import { temporaryDirectory } from "../running-kms.ts";

const alias = (name: string): Change => ({
  kind: "put-alias",
  alias: { region: "eu-west-1", name: `alias/${name}`, keyId: "k", createdAt: 0, updatedAt: 0 },
});
const event = serviceEvent({
  name: "CreateAlias",
  key: { region: "eu-west-1", arn: "arn:aws:kms:eu-west-1:000000000000:key/k" } as KeyRecord,
  account: "000000000000",
  at: 0,
});
const openedIn = (dataDir: string): Promise<Custody> =>
  openCustody(dataDir, { kind: "file", path: join(dataDir, "root.key") });
const commitTo = (store: Store, name: string): Promise<void> => {
  store.apply([alias(name)]);
  return store.commit(store.epoch, [alias(name)], [event]);
};

/** The database, whose next transaction is committed and then reported as failed, once `fails` is set. */
function unsure(database: OpenDatabase): { database: OpenDatabase; fail: (lands: boolean) => void } {
  let next: "as-it-is" | "lands" | "is-lost" = "as-it-is";
  const transaction: OpenDatabase["db"]["transaction"] = () => {
    const real = database.db.transaction();
    const execute: typeof real.execute = async (work) => {
      const mode = next;
      next = "as-it-is";
      if (mode === "as-it-is") return real.execute(work);
      await real.execute(async (trx) => {
        await work(trx);
        if (mode === "is-lost") throw new Error("disk I/O error");
      });
      throw new Error("disk I/O error");
    };
    return Object.create(real, { execute: { value: execute } }) as typeof real;
  };
  const db = new Proxy(database.db, {
    get: (target, name) => {
      if (name === "transaction") return transaction;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  return {
    database: { ...database, db },
    fail: (lands) => {
      next = lands ? "lands" : "is-lost";
    },
  };
}

async function storeIn(t: TestContext): Promise<{ store: Store; fail: (lands: boolean) => void; dataDir: string }> {
  const dataDir = await temporaryDirectory(t);
  const custody = await openedIn(dataDir);
  const { database, fail } = unsure(custody.database);
  const store = await Store.open({ ...custody, database }, ["eu-west-1"]);
  t.after(() => closeCustody(custody).catch(() => undefined));
  return { store, fail, dataDir };
}

test("a commit that is reported as failed and was not made is taken back, and the server goes on", async (t) => {
  const { store, fail, dataDir } = await storeIn(t);
  await commitTo(store, "a");
  fail(false);
  await assert.rejects(commitTo(store, "b"), { code: "store-failed" });
  await store.settle();
  await commitTo(store, "c");
  await store.close();
  const { auditEntries } = await verifyAudit({ dataDir, rootKey: { kind: "file", path: join(dataDir, "root.key") } });
  assert.equal(auditEntries, 2);
});

test("after one that was made all the same, everything is refused until the next start, which finds it", async (t) => {
  const { store, fail, dataDir } = await storeIn(t);
  await commitTo(store, "a");
  fail(true);
  await assert.rejects(commitTo(store, "b"), { code: "store-failed" });
  await store.settle();
  for (const name of ["c", "d"]) await assert.rejects(commitTo(store, name), { code: "store-failed" });
  await store.close();
  const rootKey = { kind: "file", path: join(dataDir, "root.key") } as const;
  assert.equal((await verifyAudit({ dataDir, rootKey })).auditEntries, 2);
  const custody = await openedIn(dataDir);
  const again = await Store.open(custody, ["eu-west-1"]);
  assert.deepEqual([...again.region("eu-west-1").aliases.keys()].sort(), ["alias/a", "alias/b"]);
  await commitTo(again, "c");
  await closeCustody(custody);
});

test("a witness is never told what the disk has not taken", async (t) => {
  const dataDir = await temporaryDirectory(t);
  const path = join(await temporaryDirectory(t), "witness");
  const custody = await openedIn(dataDir);
  const { database } = custody;
  const disk: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const syncLog = (): Promise<void> => new Promise((resolve, reject) => disk.push({ resolve, reject }));
  const publisher = publisherFor(openWitness({ kind: "file", path }, dataDir), custody, pino({ enabled: false }));
  const onDurable = (): void => {
    publisher.publish(headOf(custody));
  };
  const store = await Store.open({ ...custody, database: { ...database, syncLog }, onDurable }, ["eu-west-1"]);
  const nextSync = async (): Promise<(typeof disk)[number]> => {
    while (disk.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    return disk.shift()!;
  };
  const seen = (): string => readFileSync(path, "utf8").split("\n")[1]!;
  const first = commitTo(store, "a");
  (await nextSync()).resolve();
  await first;
  const second = commitTo(store, "b");
  const sync = await nextSync();
  // The pause between two states passes while the disk is at work.
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(seen(), "1", "while the disk is at work");
  sync.reject(new Error("EIO"));
  await assert.rejects(second, { code: "store-failed" });
  await publisher.close();
  assert.equal(seen(), "1", "nor at the end, when it failed");
  await closeCustody(custody);
});
