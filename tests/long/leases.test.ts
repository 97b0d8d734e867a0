// Two processes pay what is owed, and are stopped in turn for longer than their lease holds: nothing is repaired twice,
// and nothing is left out.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { openVault } from "@strongroom/vault";
import { QUICK_KEYRING, regionalKeys } from "../../packages/vault/test/support/regional-vault.ts";
import { defer } from "../support/defer.ts";
import { temporaryFolder } from "../support/faults/folder.ts";
import { openPlace, type Place, preparePlace } from "../support/faults/place.ts";
import type { RepairTask } from "../support/faults/repairer.ts";
import { startPostgres } from "../support/postgres/server.ts";

const PROGRAM = fileURLToPath(new URL("../support/faults/repairer.ts", import.meta.url));
const OWED = Number(process.env["STRONGROOM_FAULT_OWED"] ?? 150);
const LEASE_MS = 400;

test("two repairs that are stopped over the end of their leases, in SQLite", async (t) => {
  await stoppedRepairs(t, { kind: "sqlite", path: join(await temporaryFolder(t), "records.sqlite") });
});

test("two repairs that are stopped over the end of their leases, in PostgreSQL", async (t) => {
  const server = await startPostgres(t);
  const place = { kind: "postgres", url: server.url, connections: 4 } as const;
  await preparePlace(place);
  await stoppedRepairs(t, place);
});

async function stoppedRepairs(t: TestContext, place: Place): Promise<void> {
  const { kms, keys, dataDir } = await regionalKeys(t);
  const keyring = multiRegionKeyring({ regions: keys, minimum: 2, ...QUICK_KEYRING });
  const vault = await openVault({ store: await openPlace(place), keyring });
  defer(t, () => vault.close());
  const lost = keys[2]!.region;
  await kms.stopRegion(lost);
  const items = Array.from({ length: OWED }, (_, number) => ({ id: `p${number}`, document: { number } }));
  await vault.putMany("people", items, { onExisting: "replace" });
  assert.equal((await vault.wrapDebt()).items, OWED);
  await kms.startRegion(lost);

  const folder = await temporaryFolder(t);
  const credentials = JSON.parse(
    await readFile(join(dataDir, "credentials.json"), "utf8"),
  ) as RepairTask["credentials"];
  const regions = keys.map(({ region, keyArn }) => ({ region, keyArn, endpoint: kms.endpoints[region]! }));
  const logs = ["one", "two"].map((name) => join(folder, name));
  const repairers = logs.map((log) => startRepairer(t, { place, regions, credentials, leaseMs: LEASE_MS, log }));
  let stops = 0;
  while ((await vault.wrapDebt()).items > 0) {
    const repairer = repairers[stops++ % 2]!;
    repairer.kill("SIGSTOP");
    await sleep(LEASE_MS * (1 + Math.random()));
    repairer.kill("SIGCONT");
    await sleep(Math.random() * LEASE_MS);
  }
  // Whatever still stands in a process' way to the store.
  await sleep(LEASE_MS);
  for (const repairer of repairers) {
    const exit = once(repairer, "exit");
    repairer.stdin!.end();
    await exit;
  }
  const lines = (await Promise.all(logs.map((log) => readFile(log, "utf8").catch(() => "")))).map((text) =>
    text.split("\n").filter(Boolean),
  );
  const made = lines.map((own) => own.filter((line) => line.endsWith(" made")));
  const all = made.flat();
  const overtaken = lines.flat().length - all.length;
  t.diagnostic(
    `${OWED} versions owed; made by each: ${made.map(({ length }) => length).join(" and ")}; ` +
      `${overtaken} overtaken, and changed nothing; ${stops} stops of ${LEASE_MS} to ${2 * LEASE_MS} ms`,
  );
  assert.equal(new Set(all).size, all.length, "versions that were repaired twice");
  assert.equal(all.length, OWED);
  for (const { id, document } of items)
    assert.deepEqual((await vault.get({ collection: "people", id })).document, document);
}

function startRepairer(t: TestContext, task: RepairTask): ChildProcess {
  const child = spawn(process.execPath, ["--conditions=@strongroom/source", PROGRAM], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  defer(t, () => child.kill("SIGKILL"));
  child.stdin.write(`${JSON.stringify(task)}\n`);
  return child;
}
