// The doctor over real key policies: it names what lacks, and nothing else.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { KMS } from "@aws-sdk/client-kms";
import { createKms, type Kms } from "@strongroom/kms";
import { kmsClient } from "../../src/installation/keyring.ts";
import { SERVICE_PERMISSIONS } from "../../src/installation/key-permissions.ts";
import { runCommand } from "../support/command.ts";
import { temporaryFolder } from "../support/installation.ts";

const NAMES = ["eu-west-1", "eu-west-2"] as const;
const SERVICE = "arn:aws:iam::000000000000:user/strongroom-service";
const ACCOUNT = {
  Effect: "Allow",
  Principal: { AWS: "arn:aws:iam::000000000000:root" },
  Action: "kms:*",
  Resource: "*",
};

/** Without them keys move to another wrapping key all the same. */
const OPTIONAL: ReadonlySet<string> = new Set(["kms:ReEncryptFrom", "kms:ReEncryptTo"]);

const deny = (Action: string, Condition?: object): object => ({
  Effect: "Deny",
  Principal: { AWS: SERVICE },
  Action,
  Resource: "*",
  ...(Condition === undefined ? {} : { Condition }),
});

describe("strongroom doctor on the service's permissions", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let kms: Kms;
  const roots = new Map<string, KMS>();
  const keys = new Map<string, string>();

  before(async () => {
    folder = await temporaryFolder();
    kms = await createKms({
      dataDir: join(folder.path, "kms"),
      regions: NAMES.map((name) => ({ name, port: 0 })),
      tls: { kind: "own" },
      strongroomUsers: "made",
    });
    const tlsFingerprint = kms.tls?.fingerprint;
    const regions = [];
    for (const region of NAMES) {
      const place = { region, endpoint: kms.endpoints[region], tlsFingerprint };
      const root = await kmsClient({ ...place, credentialsFile: join(kms.dataDir, "credentials.json") });
      const keyArn = (await root.createKey({})).KeyMetadata?.Arn ?? "";
      roots.set(region, root);
      keys.set(region, keyArn);
      regions.push({ ...place, keyArn, credentialsFile: "kms/service-credentials.json" });
    }
    await writeFile(join(folder.path, "strongroom.config.json"), JSON.stringify({ keys: { regions } }));
  });
  after(async () => {
    for (const root of roots.values()) root.destroy();
    await kms.close();
    await folder[Symbol.asyncDispose]();
  });

  interface Row {
    readonly what: string;
    readonly severity: string;
    readonly remedy?: string;
  }

  /** The doctor's rows about permissions and regions, with these statements in the policy of the second region's key. */
  async function examined(...statements: readonly object[]): Promise<readonly Row[]> {
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [ACCOUNT, ...statements] });
    await roots.get("eu-west-2")?.putKeyPolicy({ KeyId: keys.get("eu-west-2"), Policy });
    const { stdout } = await runCommand(["doctor", "--json", "--config", "strongroom.config.json"], {
      cwd: folder.path,
    });
    const { findings } = JSON.parse(stdout) as { findings: Row[] };
    return findings.filter(({ what }) => /^(?:Region|Permissions|kms:)/.test(what));
  }
  const failures = (rows: readonly Row[]): string[] =>
    rows.filter(({ severity }) => severity === "failure").map(({ what }) => what);

  it("says that all are proven where the policy is right", async () => {
    const rows = await examined();
    assert.deepEqual(failures(rows), []);
    for (const name of NAMES) assert.equal(rows.find(({ what }) => what === `Permissions (${name})`)?.severity, "ok");
  });

  it("names each one that lacks, alone, with what to do", async () => {
    for (const action of SERVICE_PERMISSIONS) {
      const rows = await examined(deny(action));
      const severity = OPTIONAL.has(action) ? "warning" : "failure";
      const bad = rows.filter(({ what, severity: told }) => told !== "ok" && what.startsWith("kms:"));
      assert.deepEqual(
        bad.map(({ what, severity: told }) => `${told}: ${what}`),
        [`${severity}: ${action} (eu-west-2)`],
      );
      assert.equal(rows.find(({ what }) => what === "Permissions (eu-west-1)")?.severity, "ok");
      assert.match(bad[0]?.remedy ?? "", /policy template --for service/);
    }
  });

  it("names those that a condition on another context takes away, and all where nothing is allowed", async () => {
    const other = { StringNotEquals: { "kms:EncryptionContext:strongroom:collection": "people" } };
    const underContext = ["kms:GenerateDataKey", "kms:Encrypt", "kms:Decrypt"];
    assert.deepEqual(
      failures(await examined(deny("kms:*", other))).filter((what) => !what.startsWith("kms:DescribeKey")),
      underContext.map((action) => `${action} (eu-west-2)`),
    );
    assert.deepEqual(
      failures(await examined(deny("kms:*"))),
      SERVICE_PERMISSIONS.filter((action) => !OPTIONAL.has(action)).map((action) => `${action} (eu-west-2)`),
    );
  });

  it("encrypts and decrypts nothing: no key has been used", async () => {
    await examined();
    for (const [region, KeyId] of keys) {
      const { KeyLastUsage } = (await roots.get(region)?.getKeyLastUsage({ KeyId })) ?? {};
      assert.equal(KeyLastUsage?.Operation, undefined);
    }
  });
});
