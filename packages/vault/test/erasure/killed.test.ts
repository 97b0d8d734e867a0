/**
 * Processes that are killed in the middle of erasures, with writers beside them: each erasure is finished by whoever
 * starts next, and nothing is left of whoever was erased.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { openVault, verifyCertificate } from "@strongroom/vault";
import type { SubjectId } from "@strongroom/vault";
import { sqliteAuditLog, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../tests/support/defer.ts";
import { aesKeyring } from "../support/vault.ts";
import { erasureOf } from "./support/erasing.ts";

const KILLS = Number(process.env["STRONGROOM_TEST_ERASURE_KILLS"] ?? 4);
const PROGRAM = fileURLToPath(new URL("support/erasing-process.ts", import.meta.url));

test(`${KILLS} kills in the middle of erasures leave nothing of who was erased, and everything of others`, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-killed-"));
  defer(t, () => rm(folder, { recursive: true }));
  const key = randomBytes(32);
  const told = new Set<SubjectId>();
  let begun = 0;
  for (let round = 0; round < KILLS; round++) {
    const child = spawn(
      process.execPath,
      ["--conditions=@strongroom/source", PROGRAM, folder, String(round), key.toString("hex")],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const ended = new Promise((resolve) => child.once("close", resolve));
    const killAfter = Math.random() * 250;
    let isFirst = true;
    for await (const line of createInterface({ input: child.stdout })) {
      const [word, what = ""] = line.split(" ");
      if (word === "erased") told.add(what as SubjectId);
      if (word !== "begin") continue;
      begun++;
      // Sometimes after some whole ones.
      if (!isFirst && Math.random() < 0.3) continue;
      isFirst = false;
      if (Math.random() < 0.85) void delay(killAfter).then(() => child.kill("SIGKILL"));
    }
    await ended;
  }
  const [store, keyStore] = [
    await sqliteStore(join(folder, "records.sqlite")),
    await sqliteKeyStore(join(folder, "keys.sqlite")),
  ];
  const vault = await openVault({
    store,
    keyring: aesKeyring(key),
    keys: { store: keyStore },
    audit: { log: await sqliteAuditLog(join(folder, "audit.sqlite")) },
    repair: { intervalMs: 1_000 },
  });
  defer(t, () => vault.close());
  const left = (await erasureOf(vault).underWay()).length;
  for (let waited = 0; waited < 600 && (await erasureOf(vault).underWay()).length > 0; waited++) await delay(100);
  assert.deepEqual(await erasureOf(vault).underWay(), [], "they end by themselves");
  const rows = await store.subjects.list({ after: null, limit: 100_000 });
  const erased = rows.filter(({ state }) => state !== "active");
  for (const { id, state } of erased) {
    assert.equal(state, "erased");
    assert.deepEqual(await store.subjects.records(id, { after: null, limit: 9 }), []);
    for (const kind of ["subject", "tenant-subject"] as const)
      assert.deepEqual(await keyStore.keys.versions({ kind, owner: id }), []);
    assert.deepEqual(await keyStore.keys.erased([id]), [true]);
    const text = await erasureOf(vault).certificate(id);
    assert.equal(verifyCertificate(text, await erasureOf(vault).certificateKey()).facts.person, id);
    told.delete(id);
  }
  assert.deepEqual([...told], [], "what was answered as erased is");
  let kept = 0;
  for (const row of (await store.records.list("people" as never, { after: null, limit: 100_000 })) ?? []) {
    if (!row.id.startsWith("kept-")) continue;
    await vault.get({ collection: "people", id: row.id });
    kept++;
  }
  t.diagnostic(
    `${KILLS} kills, ${begun} begun, ${erased.length} erased, ${left} left half done at the end, ${kept} kept`,
  );
  const { verdict, findings } = await vault.verify();
  assert.equal(verdict, "whole", JSON.stringify(findings).slice(0, 500));
});
