// The audit of a running KMS verified by a program that is not ours: Go's golang.org/x/mod/sumdb, which go brings.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { auditCheckpoint, proveAuditEntry, proveAuditGrowth } from "@strongroom/kms";
import { isThere } from "../test/clients/foreign-client.ts";
import { run } from "../test/command/run.ts";
import { runningKms, temporaryDirectory } from "../test/running-kms.ts";

const execute = promisify(execFile);
const source = resolve(import.meta.dirname, "go-verifier");

test(
  "Go's own packages open the checkpoints of a running KMS and verify its proofs",
  { skip: !isThere("go", "version") && "there is no go here", timeout: 240_000 },
  async (t) => {
    const { dataDir, client } = await runningKms(t);
    const folder = await temporaryDirectory(t);
    const program = join(folder, "verifier");
    await execute("go", ["build", "-o", program, "."], { cwd: source });
    const verify = async (kind: string, file: string, input: string): Promise<string> => {
      const running = execute(program, [key, kind, file]);
      running.child.stdin?.end(input);
      return (await running).stdout;
    };
    const region = client();
    const rootKey = { kind: "file", path: join(dataDir, "root.key") } as const;
    const { key } = await auditCheckpoint({ dataDir, rootKey });
    const sizes = [1, 2, 7, 256, 300, 700];
    const old = new Map<number, string>();
    for (let size = 0; size < 700;) {
      const next = sizes.find((one) => one > size) ?? 700;
      await Promise.all(Array.from({ length: next - size }, () => region.listKeys({})));
      size = next;
      const { checkpoint, size: found } = await auditCheckpoint({ dataDir, rootKey });
      assert.equal(found, size);
      old.set(size, join(folder, `${size}.checkpoint`));
      writeFileSync(join(folder, `${size}.checkpoint`), checkpoint);
    }
    for (const [size, file] of old) {
      const proof = await proveAuditGrowth({ dataDir, rootKey, since: size });
      assert.equal(await verify("consistency", file, proof), `the log of 700 begins with that of ${size}\n`);
    }
    for (const seq of [1, 2, 255, 256, 257, 512, 513, 699, 700]) {
      const { event, proof } = await proveAuditEntry({ dataDir, rootKey, seq });
      const file = join(folder, "entry");
      writeFileSync(file, event!);
      assert.equal(await verify("inclusion", file, proof), `entry ${seq} is in the log of 700\n`);
      writeFileSync(file, `${event!} `);
      await assert.rejects(verify("inclusion", file, proof), /invalid transparency proof|inconsistent/);
    }
    const stranger = await runningKms(t);
    const foreign = await auditCheckpoint({
      dataDir: stranger.dataDir,
      rootKey: { kind: "file", path: join(stranger.dataDir, "root.key") },
    });
    writeFileSync(join(folder, "foreign"), foreign.checkpoint);
    const proof = await proveAuditGrowth({ dataDir, rootKey, since: 0 });
    await assert.rejects(verify("consistency", join(folder, "foreign"), proof), /no verifiable signatures/);
    // As a person does it, with the commands.
    const [printed, asKey] = [
      await run("audit", "prove", "--since", "256", "--data-dir", dataDir),
      await run("audit", "key", "--data-dir", dataDir),
    ];
    assert.equal(asKey.stdout, `${key}\n`);
    assert.match(await verify("consistency", old.get(256)!, printed.stdout), /begins with that of 256/);
    const checkpoint = await run("audit", "checkpoint", "--data-dir", dataDir);
    assert.equal(checkpoint.stdout, (await auditCheckpoint({ dataDir, rootKey })).checkpoint);
  },
);
