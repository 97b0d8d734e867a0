// With keys.fourEyes the command says what to type, and exports once another principal has approved it.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { rawAesKeyring } from "@strongroom/envelope";
import { openVault } from "@strongroom/vault";
import { memoryAuditLog, memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
import { defer } from "../../../../tests/support/defer.ts";
import { erasureOptions } from "../../src/installation/ledger-copy.ts";
import { loadConfig } from "../../src/config/load.ts";
import { commandService } from "../support/service.ts";

test("an export is refused, says what to type, and is done when that was typed", async (t) => {
  const { config } = await loadConfig({ cwd: "/", env: { STRONGROOM_FOUR_EYES: "true" } });
  const vault = await openVault({
    store: memoryStore(),
    keyring: rawAesKeyring({ keyNamespace: "test", keyName: "1", wrappingKey: randomBytes(32) }),
    keys: { store: memoryKeyStore() },
    audit: { log: memoryAuditLog() },
    erasure: erasureOptions(config, []),
  });
  defer(t, () => vault.close());
  await vault.put({ collection: "customers", id: "1" }, { name: "Ada" });
  const { folder, client, run } = await commandService(t, () => vault);
  const file = join(folder, "customers.ndjson");

  const refused = await run("export customers customers.ndjson");
  assert.equal(refused.code, 6, refused.stderr);
  assert.match(refused.stderr, /approval-missing/);
  const typed = /strongroom (approvals request customers --action export)/.exec(refused.stderr.replace(/\s+/g, " "));
  assert.ok(typed?.[1], refused.stderr);
  assert.ok(!existsSync(file));
  assert.equal((await run("get customers 1")).code, 0, "records are read one by one");

  assert.equal((await run(typed[1])).code, 0);
  assert.equal((await run("approvals approve customers --action export")).code, 6, "who asks does not approve");
  assert.equal((await run("export customers customers.ndjson")).code, 6);
  await client.approvals.approve({ action: "export", target: "customers" });
  const done = await run("export customers customers.ndjson");
  assert.equal(done.code, 0, done.stderr);
  assert.equal(await readFile(file, "utf8"), '{"name":"Ada"}\n');
});
