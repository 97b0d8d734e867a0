import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { test } from "node:test";
import { openVault } from "@strongroom/vault";
import { defer } from "../../../tests/support/defer.ts";
import { rejectsWith } from "./support/errors.ts";
import { storeWith } from "./support/store-with.ts";
import { aesKeyring, fileVault, testVault } from "./support/vault.ts";

const address = { collection: "people", id: "counter" };

interface Writer {
  readonly child: ChildProcess;
  /** Lines acknowledged so far. */
  readonly acknowledged: readonly Record<string, number | string>[];
  /** Resolves when the process has ended and all its output is read. */
  readonly ended: Promise<number | null>;
}

function writer(path: string, key: Buffer, id: string, rounds: number, mode: string): Writer {
  const script = new URL("support/writer.ts", import.meta.url).pathname;
  const child = spawn(
    process.execPath,
    ["--conditions=@strongroom/source", script, path, key.toString("hex"), id, String(rounds), mode],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const acknowledged: Record<string, number | string>[] = [];
  let rest = "";
  child.stdout.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    acknowledged.push(...lines.map((line) => JSON.parse(line) as Record<string, number | string>));
  });
  return { child, acknowledged, ended: once(child, "close").then(([code]) => code as number | null) };
}

test("writers in one process lose no update, and conditional writers never overwrite each other", async (t) => {
  const { vault } = await testVault(t);
  await vault.put(address, { n: 0 });
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      for (let done = 0; done < 5;) {
        const { document, version } = await vault.get(address);
        try {
          await vault.put(address, { n: Number(document["n"]) + 1 }, { expect: { kind: "version", version } });
          done++;
        } catch (error) {
          assert.equal((error as { code: string }).code, "version-conflict");
        }
      }
    }),
  );
  const { document, version } = await vault.get(address);
  assert.deepEqual([document, version], [{ n: 50 }, 51]);
});

test("unconditional writers of one record all land, one version each, without wasted encryptions", async (t) => {
  let encryptions = 0;
  const keyring = aesKeyring();
  const counting = {
    ...keyring,
    onEncrypt: (...args: Parameters<typeof keyring.onEncrypt>) => {
      encryptions++;
      return keyring.onEncrypt(...args);
    },
  };
  const { vault } = await testVault(t, { keyring: counting });
  const results = await Promise.all(Array.from({ length: 100 }, (_, n) => vault.put(address, { n })));
  assert.deepEqual(
    results.map(({ version }) => version).sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, n) => n + 1),
  );
  assert.equal(encryptions, 100);
  for (const { version } of results)
    assert.deepEqual((await vault.get(address, { version })).document, {
      n: results.findIndex((result) => result.version === version),
    });
});

test("one failing writer does not fail those that queue behind it", async (t) => {
  const { vault } = await testVault(t);
  const [bad, good] = await Promise.allSettled([vault.put(address, { n: Number.NaN }), vault.put(address, { n: 1 })]);
  assert.equal(bad.status, "rejected");
  assert.equal(good.status, "fulfilled");
});

test("two vaults on one store: of many conditional writers of one version exactly one wins", async (t) => {
  const { vault, storage, keyring } = await testVault(t);
  const other = await openVault({ store: await storage.open(), keyring });
  defer(t, () => other.close());
  await vault.put(address, { n: 0 });
  for (let version = 1; version <= 10; version++) {
    const results = await Promise.allSettled(
      [vault, other, vault, other].map((writer) =>
        writer.put(address, { n: version }, { expect: { kind: "version", version } }),
      ),
    );
    assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
  }
  const created = await Promise.allSettled(
    [vault, other, vault, other].map((writer) =>
      writer.put({ collection: "people", id: "new" }, {}, { expect: { kind: "absent" } }),
    ),
  );
  assert.equal(created.filter(({ status }) => status === "fulfilled").length, 1);
  assert.equal((await vault.get(address)).version, 11);
});

test("a writer that never gets its turn gives up with a reason", async (t) => {
  const { vault, storage, keyring } = await testVault(t);
  await vault.put(address, { n: 0 });
  const store = await storage.open();
  let losses = 0;
  const unlucky = storeWith(store, {
    records: {
      apply: async (units) => {
        losses++;
        return units.map(() => ({ kind: "conflict" }));
      },
    },
  });
  const loser = await openVault({ store: unlucky, keyring, limits: { writeAttempts: 3 } });
  defer(t, () => loser.close());
  await rejectsWith("record-contended", () => loser.put(address, { n: 1 }));
  assert.equal(losses, 3);
  await rejectsWith("record-contended", () =>
    loser.putMany("people", [{ id: "a", document: {} }], { onExisting: "replace" }),
  );
});

test("two processes on one file lose no update and use no number twice", async (t) => {
  const key = randomBytes(32);
  const { vault, path } = await fileVault(t, { keyring: aesKeyring(key) });
  await vault.put(address, { n: 0 });
  await vault.put({ collection: "people", id: "any" }, {});
  const writers = [
    writer(path, key, "counter", 40, "increment"),
    writer(path, key, "counter", 40, "increment"),
    writer(path, key, "any", 40, "any"),
    writer(path, key, "any", 40, "any"),
  ];
  assert.deepEqual(await Promise.all(writers.map(({ ended }) => ended)), [0, 0, 0, 0]);
  const counter = await vault.get(address);
  assert.deepEqual([counter.document, counter.version], [{ n: 80 }, 81]);
  for (const pair of [writers.slice(0, 2), writers.slice(2)]) {
    const versions = pair.flatMap(({ acknowledged }) => acknowledged.map(({ version }) => Number(version)));
    assert.deepEqual(
      versions.sort((a, b) => a - b),
      Array.from({ length: 80 }, (_, n) => n + 2),
    );
  }
  assert.equal((await vault.history({ collection: "people", id: "any" })).length, 81);
});

test("a process killed in the middle of its writes loses nothing that it acknowledged, and leaves nothing half written", async (t) => {
  const key = randomBytes(32);
  const { vault, path } = await fileVault(t, { keyring: aesKeyring(key) });
  for (let round = 0; round < 4; round++) {
    const { child, acknowledged, ended } = writer(path, key, `run${round}`, 100_000, "batch");
    while (acknowledged.length < 20 + 37 * round) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGKILL");
    await ended;
    for (const { id } of acknowledged)
      assert.equal((await vault.get({ collection: "people", id: String(id) })).version, 1);
  }
  let cursor: string | undefined;
  const ids: string[] = [];
  do {
    const page = await vault.list("people", { limit: 500, ...(cursor === undefined ? {} : { cursor }) });
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  assert.equal(ids.length % 5, 0, "a batch is there whole or not at all");
  for (const id of ids) assert.equal((await vault.get({ collection: "people", id })).version, 1);
});
