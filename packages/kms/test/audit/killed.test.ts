import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { verifyAudit } from "@strongroom/kms";
import { serving } from "../command/serving.ts";
import { temporaryDirectory } from "../running-kms.ts";

const KILLS = 3;

test("a server killed under load is whole to itself and to its witness, and starts again", async (t) => {
  const folder = await temporaryDirectory(t);
  const dataDir = join(folder, "kms");
  const witness = { kind: "file", path: join(folder, "witness") } as const;
  const rootKey = { kind: "file", path: join(dataDir, "root.key") } as const;
  let acknowledged = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const server = await serving(t, "--data-dir", dataDir, "--witness", witness.path);
    const client = server.client();
    const work = Array.from({ length: 8 }, async () => {
      for (;;) {
        try {
          await client.listKeys({});
          acknowledged += 1;
        } catch {
          // The server is gone.
          return;
        }
      }
    });
    const enough = acknowledged + 20 + 30 * kill;
    while (acknowledged < enough) await new Promise((resolve) => setTimeout(resolve, 5));
    server.process.kill("SIGKILL");
    await Promise.all(work);
    await server.end();
    const report = await verifyAudit({ dataDir, rootKey, witness });
    assert.ok(report.auditEntries >= acknowledged, `${report.auditEntries} of ${acknowledged}`);
    assert.ok(report.witness?.kind === "seen" && report.witness.size <= report.auditEntries);
  }
  const last = await serving(t, "--data-dir", dataDir, "--witness", witness.path);
  assert.equal(await last.end(), 0);
  const { auditEntries, witness: seen } = await verifyAudit({ dataDir, rootKey, witness });
  assert.deepEqual(seen, { kind: "seen", size: auditEntries }, "an orderly end leaves nothing untold");
});
