// kill -9 at random moments under load: no key lost, no acknowledged change lost, the audit log whole and as its
// witness saw it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { KMS } from "@aws-sdk/client-kms";
import { verifyAudit } from "@strongroom/kms";
import { temporaryDirectory } from "../test/running-kms.ts";

const ROUNDS = Number(process.env["STRONGROOM_KILLS"] ?? 200);
const WORKERS = 8;

/** Beside the data folder, not in it. */
const witnessOf = (dataDir: string): string => `${dataDir}.checkpoint`;

interface Server {
  readonly child: ChildProcess;
  readonly client: KMS;
}

async function start(dataDir: string): Promise<Server> {
  const script = resolve(import.meta.dirname, "kms-process.ts");
  const child = spawn(process.execPath, ["--conditions=@strongroom/source", script, dataDir, witnessOf(dataDir)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const { endpoint, credentials } = JSON.parse(line) as {
    endpoint: string;
    credentials: { accessKeyId: string; secretAccessKey: string };
  };
  return { child, client: new KMS({ region: "eu-west-1", endpoint, credentials, maxAttempts: 1 }) };
}

/** What was acknowledged: only that must be there. */
interface Acknowledged {
  readonly descriptions: Map<string, string>;
  /** Keys with a change under way when the server died: either state is right. */
  readonly open: Map<string, string>;
  readonly aliases: Map<string, string>;
  readonly ciphertexts: { readonly keyId: string; readonly blob: Uint8Array; readonly plaintext: string }[];
  readonly requestIds: string[];
}

async function work(client: KMS, known: Acknowledged, name: string): Promise<void> {
  for (let i = 0; ; i++) {
    try {
      const { KeyMetadata, $metadata } = await client.createKey({ Description: "0" });
      const KeyId = KeyMetadata!.KeyId!;
      known.descriptions.set(KeyId, "0");
      known.requestIds.push($metadata.requestId!);
      const AliasName = `alias/${name}-${i}`;
      await client.createAlias({ AliasName, TargetKeyId: KeyId });
      known.aliases.set(AliasName, KeyId);
      for (let change = 1; change < 4; change++) {
        known.open.set(KeyId, String(change));
        await client.updateKeyDescription({ KeyId, Description: String(change) });
        known.descriptions.set(KeyId, String(change));
        known.open.delete(KeyId);
        const plaintext = `${name} ${i} ${change}`;
        const { CiphertextBlob, $metadata: made } = await client.encrypt({ KeyId, Plaintext: Buffer.from(plaintext) });
        known.ciphertexts.push({ keyId: KeyId, blob: CiphertextBlob!, plaintext });
        known.requestIds.push(made.requestId!);
        await client.rotateKeyOnDemand({ KeyId });
      }
    } catch {
      // The server is gone.
      return;
    }
  }
}

async function requireOnRecord(dataDir: string, requestIds: readonly string[]): Promise<number> {
  const rootKey = { kind: "file", path: join(dataDir, "root.key") } as const;
  const witness = { kind: "file", path: witnessOf(dataDir) } as const;
  const { auditEntries } = await verifyAudit({ dataDir, rootKey, witness });
  const database = new DatabaseSync(join(dataDir, "kms.sqlite"), { readOnly: true });
  const seen = new Set<string>();
  for (const row of database.prepare("SELECT event FROM audit").iterate())
    seen.add((JSON.parse(String(row["event"])) as { requestID: string }).requestID);
  database.close();
  for (const id of requestIds) assert.ok(seen.has(id), `acknowledged call ${id} is not on record`);
  return auditEntries;
}

test(
  `killed ${ROUNDS} times under load, the server has every acknowledged change`,
  { timeout: 3_600_000 },
  async (t) => {
    const dataDir = await temporaryDirectory(t);
    t.after(() => {
      rmSync(witnessOf(dataDir), { force: true });
    });
    const all: Acknowledged = {
      descriptions: new Map(),
      open: new Map(),
      aliases: new Map(),
      ciphertexts: [],
      requestIds: [],
    };
    let entries = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const known: Acknowledged = {
        descriptions: new Map(),
        open: new Map(),
        aliases: new Map(),
        ciphertexts: [],
        requestIds: [],
      };
      const { child, client } = await start(dataDir);
      const workers = Array.from({ length: WORKERS }, (_, i) => work(client, known, `r${round}w${i}`));
      await sleep(50 + Math.random() * 900);
      child.kill("SIGKILL");
      await Promise.all([...workers, once(child, "exit")]);
      client.destroy();
      entries = await requireOnRecord(dataDir, known.requestIds);

      const again = await start(dataDir);
      for (const [KeyId, description] of known.descriptions) {
        const found = (await again.client.describeKey({ KeyId })).KeyMetadata!.Description;
        assert.ok(
          found === description || found === known.open.get(KeyId),
          `${KeyId}: ${found} instead of ${description}`,
        );
      }
      for (const [AliasName, KeyId] of known.aliases)
        assert.equal((await again.client.describeKey({ KeyId: AliasName })).KeyMetadata!.KeyId, KeyId);
      for (const { blob, plaintext } of known.ciphertexts) {
        assert.equal(
          Buffer.from((await again.client.decrypt({ CiphertextBlob: blob })).Plaintext!).toString(),
          plaintext,
        );
      }
      again.child.kill("SIGKILL");
      await once(again.child, "exit");
      again.client.destroy();
      for (const [key, value] of known.descriptions) all.descriptions.set(key, value);
      all.ciphertexts.push(...known.ciphertexts);
    }
    const last = await start(dataDir);
    for (const { blob, plaintext } of all.ciphertexts) {
      assert.equal(Buffer.from((await last.client.decrypt({ CiphertextBlob: blob })).Plaintext!).toString(), plaintext);
    }
    for (const KeyId of all.descriptions.keys()) await last.client.describeKey({ KeyId });
    last.child.kill("SIGKILL");
    last.client.destroy();
    t.diagnostic(
      `${all.descriptions.size} keys, ${all.ciphertexts.length} ciphertexts, ${entries} audit entries: none lost`,
    );
  },
);
