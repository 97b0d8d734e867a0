// Who signs what of an installation's calls to its KMS, as the KMS's audit has it.
import assert from "node:assert/strict";
import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { runCommand } from "../support/command.ts";
import { startInstallation, temporaryFolder } from "../support/installation.ts";

/** Dry runs among them; a key's rotations say how old its material is. */
const USES: ReadonlySet<string> = new Set([
  ...["Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ListKeyRotations", "ReEncrypt"],
]);

describe("the access keys of strongroom up", () => {
  it("are the operator's for making keys and the service's for using them, also in a folder that had the root's alone", async () => {
    await using folder = await temporaryFolder();
    const first = await startInstallation(folder.path);
    const { dataDir } = first.ready;
    assert.equal((await runCommand(["put", "people", "ada"], { cwd: folder.path, stdin: '{"a":1}' })).code, 0);
    assert.equal(await first.stop(), 0);
    const kms = join(dataDir, "kms");
    const callers = (): Record<string, string[]> => {
      const database = new DatabaseSync(join(kms, "kms.sqlite"), { readOnly: true });
      const events = database.prepare("SELECT event FROM audit").all() as { event: string }[];
      database.close();
      const byCaller: Record<string, string[]> = {};
      for (const { event } of events) {
        const { eventName, userIdentity } = JSON.parse(event) as {
          eventName: string;
          userIdentity?: { arn?: string };
        };
        const name = userIdentity?.arn?.split(":").at(-1) ?? "the KMS";
        byCaller[name] = [...new Set([...(byCaller[name] ?? []), eventName])].toSorted();
      }
      return byCaller;
    };
    const { "user/strongroom-service": service = [], "user/strongroom-operator": operator = [], root } = callers();
    assert.equal(root, undefined);
    assert.ok(operator.includes("CreateKey") && !operator.includes("Encrypt"), operator.join());
    assert.deepEqual(
      service.filter((name) => !USES.has(name)),
      [],
    );
    assert.ok(service.includes("GenerateDataKey"));

    // As a version made it that had one access key.
    const root1 = await readFile(join(kms, "credentials.json"), "utf8");
    for (const name of ["service", "operator"]) await rm(join(kms, `${name}-credentials.json`));
    const second = await startInstallation(folder.path);
    assert.deepEqual(second.ready.keys, first.ready.keys);
    assert.equal((await runCommand(["get", "people", "ada"], { cwd: folder.path })).stdout, '{"a":1}\n');
    assert.equal((await runCommand(["put", "people", "bob"], { cwd: folder.path, stdin: "{}" })).code, 0);
    assert.equal(await readFile(join(kms, "credentials.json"), "utf8"), root1);
    for (const name of ["service", "operator"])
      assert.equal((await stat(join(kms, `${name}-credentials.json`))).mode & 0o777, 0o600);
    assert.equal(await second.stop(), 0);
  });
});
