// A data directory that has a row in every table, at two moments of its life, and copies of it to be altered.

import assert from "node:assert/strict";
import { cpSync, copyFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import { createKms, verifyAudit } from "@strongroom/kms";
import type { Kms } from "@strongroom/kms";

export const REGIONS = [
  { name: "eu-west-1", port: 0 },
  { name: "eu-west-2", port: 0 },
] as const;

/** The tables whose rows are authenticated. */
export const TABLES = ["keys", "backing_keys", "aliases", "grants", "import_keys", "last_uses"] as const;

export const rootKeyOf = (dataDir: string) => ({ kind: "file", path: join(dataDir, "root.key") }) as const;

/** Starts a KMS there. */
export const start = (dataDir: string): Promise<Kms> => createKms({ dataDir, regions: REGIONS });

/** Runs `use` with a client of the first region, and ends the KMS. */
export async function using(dataDir: string, use: (client: KMS, other: KMS) => Promise<void>): Promise<void> {
  const kms = await start(dataDir);
  const clients = REGIONS.map(({ name }) => new KMS({ ...kms.clientConfig(name), maxAttempts: 1 }));
  try {
    await use(clients[0]!, clients[1]!);
  } finally {
    for (const client of clients) client.destroy();
    await kms.close();
  }
}

/** Runs SQL on a data directory's database; `old` is attached as the database `old`. */
export function alter(dataDir: string, sql: string, old?: string): void {
  const database = new DatabaseSync(join(dataDir, "kms.sqlite"), { enableForeignKeyConstraints: false });
  if (old !== undefined) database.prepare("ATTACH ? AS old").run(old);
  database.exec(sql);
  database.close();
}

export interface Inhabited {
  /** The data directory as it is in the end. */
  readonly dataDir: string;
  /** Its database as it was before grants were revoked, an alias deleted, a policy narrowed, a key disabled. */
  readonly before: string;
  readonly keyId: string;
  /** Copies the directory for one attack; it is removed when the test ends. */
  readonly copy: (t: TestContext) => Promise<string>;
  readonly remove: () => Promise<void>;
}

const STATEMENT = {
  Effect: "Allow",
  Principal: { AWS: "arn:aws:iam::000000000000:root" },
  Action: "kms:*",
  Resource: "*",
};
const WEAK = JSON.stringify({ Version: "2012-10-17", Statement: [STATEMENT, { ...STATEMENT, Principal: "*" }] });
const STRICT = JSON.stringify({ Version: "2012-10-17", Statement: [STATEMENT] });

/** Makes one. */
export async function inhabited(): Promise<Inhabited> {
  const home = await mkdtemp(join(tmpdir(), "strongroom-rows-"));
  const dataDir = join(home, "data");
  const before = join(home, "before.sqlite");
  let keyId = "";
  await using(dataDir, async (client, other) => {
    const make = async (region: KMS, input: Parameters<KMS["createKey"]>[0] = {}): Promise<string> =>
      (await region.createKey(input)).KeyMetadata!.KeyId!;
    keyId = await make(client, { Policy: WEAK, Tags: [{ TagKey: "team", TagValue: "a" }] });
    const second = await make(client);
    await make(client, { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    await make(client, { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    const shared = await make(client, { MultiRegion: true });
    await client.replicateKey({ KeyId: shared, ReplicaRegion: "eu-west-2" });
    const elsewhere = await make(other);
    for (let round = 0; round < 2; round++) {
      const external = await make(client, { Origin: "EXTERNAL" });
      await client.getParametersForImport({
        KeyId: external,
        WrappingAlgorithm: "RSAES_OAEP_SHA_256",
        WrappingKeySpec: "RSA_2048",
      });
    }
    await client.createAlias({ AliasName: "alias/one", TargetKeyId: keyId });
    await client.createAlias({ AliasName: "alias/two", TargetKeyId: second });
    await other.createAlias({ AliasName: "alias/there", TargetKeyId: elsewhere });
    for (const user of ["u", "v"])
      await client.createGrant({
        KeyId: keyId,
        GranteePrincipal: `arn:aws:iam::000000000000:user/${user}`,
        Operations: ["Decrypt"],
      });
    for (const key of [keyId, second]) await client.generateDataKey({ KeyId: key, KeySpec: "AES_256" });
  });
  copyFileSync(join(dataDir, "kms.sqlite"), before);
  await using(dataDir, async (client) => {
    await client.putKeyPolicy({ KeyId: keyId, Policy: STRICT });
    const { Grants } = await client.listGrants({ KeyId: keyId });
    await client.revokeGrant({ KeyId: keyId, GrantId: Grants![0]!.GrantId! });
    await client.createAlias({ AliasName: "alias/late", TargetKeyId: keyId });
    await client.deleteAlias({ AliasName: "alias/two" });
    await client.rotateKeyOnDemand({ KeyId: keyId });
    await client.disableKey({ KeyId: keyId });
  });
  return {
    dataDir,
    before,
    keyId,
    copy: async (t) => {
      const path = await mkdtemp(join(home, "copy-"));
      t.after(() => rm(path, { recursive: true, force: true }));
      cpSync(dataDir, path, { recursive: true });
      return path;
    },
    remove: () => rm(home, { recursive: true, force: true }),
  };
}

/** The server refuses to start on it, and verifying says the same. */
export async function refused(
  dataDir: string,
  name: string,
  { code = "store-corrupt", message }: { code?: string; message: RegExp },
): Promise<void> {
  const started = start(dataDir).then(async (kms) => {
    await kms.close();
    return kms;
  });
  await assert.rejects(started, { code, message }, `${name}: the start`);
  await assert.rejects(verifyAudit({ dataDir, rootKey: rootKeyOf(dataDir) }), { code, message }, `${name}: verifying`);
}
