// Whatever is done through the KMS, and wherever it is killed, its own rows are never refused.

import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import fc from "fast-check";
import { AdjustableClock, backup, createKms, rekey, restore, verifyAudit } from "@strongroom/kms";
import type { Kms } from "@strongroom/kms";
import { REGIONS, rootKeyOf } from "./inhabited.ts";

const DAY = 86_400_000;
const GRANTEE = "arn:aws:iam::000000000000:user/u";

/** A data directory, and what is running on it. */
class Life {
  dataDir: string;
  readonly #home: string;
  readonly #clock = new AdjustableClock();
  #kms: Kms | null = null;
  #clients: KMS[] = [];
  #copies = 0;

  constructor(home: string) {
    this.#home = home;
    this.dataDir = this.#place();
  }

  #place(): string {
    this.#copies += 1;
    return join(this.#home, String(this.#copies));
  }

  /** The client of the region `which` is nearest to. */
  async client(which: number): Promise<KMS> {
    if (this.#kms === null) {
      this.#kms = await createKms({ dataDir: this.dataDir, regions: REGIONS, clock: this.#clock });
      const systemClockOffset = this.#clock.now() - Date.now();
      this.#clients = REGIONS.map(
        ({ name }) => new KMS({ ...this.#kms!.clientConfig(name), maxAttempts: 1, systemClockOffset }),
      );
    }
    return this.#clients[which % REGIONS.length]!;
  }

  async end(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.#kms?.close();
    this.#kms = null;
    this.#clients = [];
  }

  async wait(days: number): Promise<void> {
    this.#clock.advance(days * DAY);
    await this.end();
  }

  /** Goes on from what a kill at this very moment would have left of the files. */
  async killed(): Promise<void> {
    const image = this.#place();
    mkdirSync(image, { recursive: true });
    for (const name of readdirSync(this.dataDir))
      if (/^(?:kms\.sqlite(?:-wal)?|root\.key|credentials\.json)$/.test(name))
        copyFileSync(join(this.dataDir, name), join(image, name));
    await this.end();
    this.dataDir = image;
  }

  async restored(): Promise<void> {
    const from = `${this.#place()}.backup`;
    if (!existsSync(join(this.dataDir, "kms.sqlite"))) return;
    await backup({ dataDir: this.dataDir, to: from });
    const rootKey = rootKeyOf(this.dataDir);
    await this.end();
    await restore({ from, dataDir: this.dataDir, rootKey, existing: "set-aside" });
  }

  async rekeyed(): Promise<void> {
    await this.end();
    if (!existsSync(join(this.dataDir, "kms.sqlite"))) return;
    await rekey({ dataDir: this.dataDir, from: rootKeyOf(this.dataDir), to: rootKeyOf(this.dataDir) });
  }
}

type Act = (life: Life, one: number, two: number) => Promise<unknown>;

/** A key of the region, by a number; the id of one that does not exist if there is none. */
async function keyOf(client: KMS, number: number): Promise<string> {
  const keys = (await client.listKeys({})).Keys!;
  return keys[number % Math.max(1, keys.length)]?.KeyId ?? "11111111-2222-4333-8444-555555555555";
}

const onKey =
  (act: (client: KMS, KeyId: string, number: number) => Promise<unknown>): Act =>
  async (life, one, two) => {
    const client = await life.client(one);
    return act(client, await keyOf(client, two), two);
  };

const ACTS: Readonly<Record<string, Act>> = {
  make: async (life, one) => (await life.client(one)).createKey({ MultiRegion: one % 3 === 0 }),
  "make for signing": async (life, one) =>
    (await life.client(one)).createKey({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" }),
  "make for an import": async (life, one) => (await life.client(one)).createKey({ Origin: "EXTERNAL" }),
  "ask for an import": onKey((client, KeyId) =>
    client.getParametersForImport({ KeyId, WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048" }),
  ),
  replicate: onKey((client, KeyId) => client.replicateKey({ KeyId, ReplicaRegion: "eu-west-2" })),
  use: onKey((client, KeyId) => client.generateDataKey({ KeyId, KeySpec: "AES_256" })),
  rotate: onKey((client, KeyId) => client.rotateKeyOnDemand({ KeyId })),
  "rotate by itself": onKey((client, KeyId) => client.enableKeyRotation({ KeyId, RotationPeriodInDays: 90 })),
  disable: onKey((client, KeyId) => client.disableKey({ KeyId })),
  enable: onKey((client, KeyId) => client.enableKey({ KeyId })),
  tag: onKey((client, KeyId, number) =>
    client.tagResource({ KeyId, Tags: [{ TagKey: `t${number % 4}`, TagValue: String(number) }] }),
  ),
  describe: onKey((client, KeyId, number) => client.updateKeyDescription({ KeyId, Description: `ü\u0000${number}` })),
  "schedule its deletion": onKey((client, KeyId) => client.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 })),
  "cancel it": onKey((client, KeyId) => client.cancelKeyDeletion({ KeyId })),
  grant: onKey((client, KeyId) =>
    client.createGrant({ KeyId, GranteePrincipal: GRANTEE, Operations: ["Decrypt", "Encrypt"] }),
  ),
  revoke: onKey(async (client, KeyId, number) => {
    const { Grants } = await client.listGrants({ KeyId });
    return client.revokeGrant({ KeyId, GrantId: Grants![number % Grants!.length]!.GrantId! });
  }),
  name: onKey((client, TargetKeyId, number) => client.createAlias({ AliasName: `alias/a${number % 5}`, TargetKeyId })),
  "point elsewhere": onKey((client, TargetKeyId, number) =>
    client.updateAlias({ AliasName: `alias/a${number % 5}`, TargetKeyId }),
  ),
  "delete a name": onKey((client, _, number) => client.deleteAlias({ AliasName: `alias/a${number % 5}` })),
  "at the same time": async (life, one, two) => {
    const client = await life.client(one);
    const KeyId = await keyOf(client, two);
    await Promise.allSettled([
      client.disableKey({ KeyId }),
      client.createAlias({ AliasName: "alias/b", TargetKeyId: KeyId }),
      client.deleteAlias({ AliasName: "alias/b" }),
      client.enableKey({ KeyId }),
      client.generateDataKey({ KeyId, KeySpec: "AES_256" }),
    ]);
  },
  "wait a week": (life) => life.wait(8),
  "wait a quarter": (life) => life.wait(91),
  restart: (life) => life.end(),
  "be killed": (life) => life.killed(),
  "be killed at work": async (life, one) => {
    const client = await life.client(one);
    const work = [client.createKey({}), client.createKey({}), client.listKeys({})].map((call) =>
      call.catch(() => null),
    );
    await new Promise((resolve) => setTimeout(resolve, one % 12));
    await life.killed();
    await Promise.all(work);
  },
  "restore a backup": (life) => life.restored(),
  "change the root key": (life) => life.rekeyed(),
};

test("its own rows are never refused", async (t) => {
  const home = await mkdtemp(join(tmpdir(), "strongroom-life-"));
  t.after(() => rm(home, { recursive: true, force: true }));
  const act = fc.tuple(fc.constantFrom(...Object.keys(ACTS)), fc.nat({ max: 99 }), fc.nat({ max: 99 }));
  let lives = 0;
  const property = fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 30 }), async (acts) => {
    lives += 1;
    const life = new Life(join(home, `life-${lives}`));
    try {
      for (const [name, one, two] of [["make", 0, 0] as const, ...acts])
        await ACTS[name]!(life, one, two).catch((error: unknown) => {
          // What a client is refused is no concern here; what the KMS says of its own database is.
          if ((error as { name: string }).name === "KmsError" || (error as { $fault?: string }).$fault === "server")
            throw error;
        });
      await life.end();
      const { keys } = await verifyAudit({ dataDir: life.dataDir, rootKey: rootKeyOf(life.dataDir) });
      await life.client(0);
      await life.end();
      const database = new DatabaseSync(join(life.dataDir, "kms.sqlite"), { readOnly: true });
      assert.ok(Number(database.prepare("SELECT count(*) AS n FROM keys").get()!["n"]) <= keys);
      database.close();
    } finally {
      await life.end();
    }
  });
  await fc.assert(property, { numRuns: 12, endOnFailure: true });
});
