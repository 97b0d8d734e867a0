import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { serviceEvent } from "../../src/audit/event.ts";
import { generateSecret } from "../../src/crypto/backing-secret.ts";
import { openCustody } from "../../src/store/custody.ts";
import type { KeyRecord } from "../../src/keys/key-record.ts";
import type { OpenDatabase } from "../../src/store/database.ts";
import type { Change } from "../../src/store/region-data.ts";
import { Store } from "../../src/store/store.ts";
import { temporaryDirectory } from "../running-kms.ts";

const alias = (name: string): Change => ({
  kind: "put-alias",
  alias: { region: "eu-west-1", name: `alias/${name}`, keyId: "k", createdAt: 0, updatedAt: 0 },
});

/** A store whose disk answers when, and as, the test says. */
/** An entry for a change: none is committed without. */
const event = serviceEvent({
  name: "CreateAlias",
  key: { region: "eu-west-1", arn: "arn:aws:kms:eu-west-1:000000000000:key/k" } as KeyRecord,
  account: "000000000000",
  at: 0,
});

async function storeOn(
  t: TestContext,
  syncLog: OpenDatabase["syncLog"],
): Promise<{ store: Store; commit: (name: string) => Promise<void>; onDisk: () => Promise<number> }> {
  const dataDir = await temporaryDirectory(t);
  const custody = await openCustody(dataDir, { kind: "file", path: join(dataDir, "root.key") });
  const { database, log, sealer, rowKeys } = custody;
  const store = await Store.open({ ...custody, database: { ...database, syncLog } }, ["eu-west-1"]);
  t.after(async () => {
    await store.close();
    sealer.close();
    log.close();
    rowKeys.close();
  });
  return {
    store,
    commit: (name) => {
      store.apply([alias(name)]);
      return store.commit(store.epoch, [alias(name)], [event]);
    },
    onDisk: async () => (await database.db.selectFrom("aliases").selectAll().execute()).length,
  };
}

test("a commit is acknowledged only once the disk has it; what comes meanwhile waits for the next", async (t) => {
  const disk: (() => void)[] = [];
  const { commit, onDisk } = await storeOn(t, () => new Promise((resolve) => disk.push(resolve)));
  const acknowledged: string[] = [];
  const note = (name: string): Promise<void> =>
    commit(name).then(() => {
      acknowledged.push(name);
    });
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const [first, second] = [note("a"), note("b")];
  await settled();
  assert.equal(await onDisk(), 2, "both are in one transaction");
  const third = note("c");
  await settled();
  assert.deepEqual(acknowledged, []);
  assert.equal(disk.length, 1, "one wait for both");
  disk.shift()!();
  await Promise.all([first, second]);
  assert.deepEqual(acknowledged, ["a", "b"]);
  await settled();
  disk.shift()!();
  await third;
  assert.equal(await onDisk(), 3);
});

test("when the disk fails, nothing is acknowledged any more", async (t) => {
  let fails = true;
  const { commit } = await storeOn(t, () => (fails ? Promise.reject(new Error("EIO")) : Promise.resolve()));
  await assert.rejects(commit("a"), { code: "store-failed" });
  fails = false;
  await assert.rejects(commit("b"), { code: "store-failed" }, "a disk that says it is well again is not believed");
});

test("the wait for the disk does not queue behind the making of RSA keys", async (t) => {
  const dataDir = await temporaryDirectory(t);
  const { database, log, sealer } = await openCustody(dataDir, { kind: "file", path: join(dataDir, "root.key") });
  const order: string[] = [];
  // As many as the pool has threads.
  const pairs = Array.from({ length: 4 }, () => generateSecret("RSA_4096").then(() => order.push("pair")));
  await database.syncLog().then(() => order.push("disk"));
  assert.equal(order[0], "disk");
  await Promise.all(pairs);
  assert.equal(order.length, 5);
  await database.close();
  sealer.close();
  log.close();
});
