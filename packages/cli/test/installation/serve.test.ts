import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import { createKms } from "@strongroom/kms";
import { kmsClient } from "../../src/installation/keyring.ts";
import { runCommand } from "../support/command.ts";
import { gather, spawnCommand, temporaryFolder, until } from "../support/installation.ts";

/** What a configuration names of an emulator's key. */
async function emulatedRegion(endpoint: string | null): Promise<object> {
  const config = {
    region: "us-east-1",
    endpoint: endpoint ?? "",
    credentials: { accessKeyId: "x", secretAccessKey: "x" },
  };
  const client = new KMS(config);
  const { KeyMetadata } = await client.createKey({});
  client.destroy();
  return { region: config.region, endpoint, credentialsFile: "any.json", keyArn: KeyMetadata?.Arn };
}

const NAMES = ["eu-west-1", "eu-west-2"] as const;

describe("strongroom serve", () => {
  it("serves with the configured keys of a KMS that runs elsewhere, and logs JSON lines without anyone's data", async () => {
    await using folder = await temporaryFolder();
    const kmsDir = join(folder.path, "kms");
    await using kms = await createKms({
      dataDir: kmsDir,
      regions: NAMES.map((name) => ({ name, port: 0 })),
      rootKey: { kind: "file", path: join(folder.path, "root.key") },
      tls: { kind: "own" },
      strongroomUsers: "made",
    });
    const credentialsFile = join(kmsDir, "operator-credentials.json");
    const tlsFingerprint = kms.tls?.fingerprint;
    const regions = await Promise.all(
      NAMES.map(async (region) => {
        const endpoint = kms.endpoints[region];
        const client = await kmsClient({ region, endpoint, tlsFingerprint, credentialsFile });
        const { KeyMetadata } = await client.createKey({});
        const service = "kms/service-credentials.json";
        return { region, endpoint, tlsFingerprint, credentialsFile: service, keyArn: KeyMetadata?.Arn };
      }),
    );
    const config = {
      keys: { regions, minimum: 1, stragglerMinMs: 8000, attemptTimeoutMs: 8000, deadlineMs: 20_000 },
      service: { port: 0 },
    };
    await writeFile(join(folder.path, "strongroom.config.json"), JSON.stringify(config));
    await runCommand(["trust"], { cwd: folder.path, env: { HOME: folder.path } });
    await runCommand(["token", "create", "test", "--scope", "admin", "--output", "token"], {
      cwd: folder.path,
      env: { HOME: folder.path },
    });

    const service = spawnCommand(["serve", "--json"], folder.path, { HOME: folder.path });
    const ready = gather(service.stdout);
    const log = gather(service.stderr);
    await until(() => ready().includes("\n") || service.exitCode !== null);
    const { url } = JSON.parse(ready()) as { url: string };
    const client = {
      cwd: folder.path,
      env: { STRONGROOM_URL: url, STRONGROOM_TOKEN_FILE: "token", HOME: folder.path },
    };
    const put = await runCommand(["put", "people", "wren", "--json"], { ...client, stdin: '{"name":"Ada Lovelace"}' });
    assert.equal(put.code, 0, put.stderr);
    assert.deepEqual((JSON.parse(put.stdout) as { wraps: unknown }).wraps, { stored: 2, target: 2, missing: [] });
    assert.equal((await runCommand(["get", "people", "wren"], client)).stdout, '{"name":"Ada Lovelace"}\n');
    const doctor = await runCommand(["doctor"], client);
    assert.equal(doctor.code, 0, doctor.stdout);
    assert.match(doctor.stdout, /ok {4}Region eu-west-2 +answers; the key is Enabled/);
    assert.match(doctor.stdout, /ok {4}Permissions \(eu-west-2\) +kms:GenerateDataKey, .*kms:DescribeKey: proven/);

    service.kill("SIGTERM");
    const [code] = (await once(service, "exit")) as [number | null];
    assert.equal(code, 0);
    const lines = log()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.ok(lines.some((line) => line["route"] === "/v1/records/:collection/:id"));
    // No hexadecimal digits alone: a request's id could hold those by chance.
    const secrets = ["Lovelace", "wren", (await readFile(join(folder.path, "token"), "utf8")).trim()];
    for (const secret of secrets) assert.ok(!log().includes(secret));
  });

  it("is warned of by doctor where a region is an emulator", async () => {
    await using folder = await temporaryFolder();
    await using kms = await createKms({ emulator: "loopback" });
    await writeFile(join(folder.path, "any.json"), '{"accessKeyId":"x","secretAccessKey":"x"}', { mode: 0o600 });
    const config = {
      keys: { regions: [await emulatedRegion(kms.emulatorEndpoint)], minimum: 1, allowUnauthenticatedKms: true },
      service: { port: 0 },
    };
    await writeFile(join(folder.path, "strongroom.config.json"), JSON.stringify(config));
    const { code, stdout } = await runCommand(["doctor", "--config", "strongroom.config.json"], { cwd: folder.path });
    assert.notEqual(code, 0);
    assert.match(stdout, /Emulator \(us-east-1\) +the region is an emulator, which checks no signature/);
    assert.match(stdout, /without --emulator/);
  });
});
