// Where the raw material of keys is, after every operation has been used: nowhere on the disk, in no answer, no log,
// no backup; in the memory of an idle process only what docs/kms.md says. Linux: memory is read from /proc.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync, readSync, readdirSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { KeySpec, KeyUsageType } from "@aws-sdk/client-kms";
import { backup } from "@strongroom/kms";
import { Sealer, backingKeyIdentity } from "../src/crypto/sealing.ts";
import { temporaryDirectory } from "../test/running-kms.ts";
import { signedCall } from "../test/signed-call.ts";
import type { Credentials } from "../test/signed-call.ts";

const SPECS: [KeySpec, KeyUsageType][] = [
  ["SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"],
  ["RSA_2048", "ENCRYPT_DECRYPT"],
  ["RSA_2048", "SIGN_VERIFY"],
  ["ECC_NIST_P256", "SIGN_VERIFY"],
  ["ECC_NIST_P384", "KEY_AGREEMENT"],
  ["ECC_NIST_EDWARDS25519", "SIGN_VERIFY"],
  ["HMAC_256", "GENERATE_VERIFY_MAC"],
  ["ML_KEM_768", "ENCAPSULATE_DECAPSULATE"],
];

interface Secret {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The raw material of every key: opened here with the root key, for the sake of searching for it. */
function secretsOf(dataDir: string): readonly Secret[] {
  const sealer = new Sealer(Buffer.from(readFileSync(join(dataDir, "root.key"), "latin1").trim(), "hex"));
  const database = new DatabaseSync(join(dataDir, "kms.sqlite"), { readOnly: true });
  const rows = database.prepare("SELECT b.*, k.record AS key FROM backing_keys b JOIN keys k USING (region, key_id)").all();
  database.close();
  return rows.map((row) => {
    const { spec, usage } = JSON.parse(String(row["key"])) as { spec: string; usage: string };
    const identity = backingKeyIdentity({ region: String(row["region"]), keyId: String(row["key_id"]), spec }, String(row["material_id"]));
    const secret = sealer.open(row["sealed"] as Uint8Array, identity)!;
    return { name: `${spec} ${usage}`, bytes: tellingPart(spec, secret) };
  });
}

/** What only the secret has: a PKCS #8 key holds its public key as well. */
function tellingPart(spec: string, secret: Buffer): Buffer {
  if (spec.startsWith("SYMMETRIC") || spec.startsWith("HMAC")) return secret;
  // The end of an ML-KEM key is its implicit rejection value (FIPS 203, algorithm 16).
  if (spec.startsWith("ML_KEM")) return secret.subarray(-32);
  const { d, p } = createPrivateKey({ key: secret, format: "der", type: "pkcs8" }).export({ format: "jwk" });
  return Buffer.from(p ?? d ?? "", "base64url").subarray(0, 32);
}

const formsOf = (bytes: Buffer): readonly Buffer[] => [bytes, Buffer.from(bytes.toString("base64").slice(0, 30)), Buffer.from(bytes.toString("hex"))];

/** Names of the secrets found in `haystack`. */
const foundIn = (haystack: Buffer, secrets: readonly Secret[]): string[] => secrets.filter(({ bytes }) => formsOf(bytes).some((form) => haystack.includes(form))).map(({ name }) => name);

function foundInMemory(pid: number, secrets: readonly Secret[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const memory = openSync(`/proc/${pid}/mem`, "r");
  for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
    if (from === undefined || to === undefined) continue;
    const [start, end] = [BigInt(`0x${from}`), BigInt(`0x${to}`)];
    for (let at = start; at < end; at += 16_777_216n) {
      const chunk = Buffer.alloc(Number(end - at < 16_777_280n ? end - at : 16_777_280n));
      try {
        readSync(memory, chunk, 0, chunk.length, at);
      } catch {
        continue;
      }
      for (const name of foundIn(chunk, secrets)) found.set(name, (found.get(name) ?? 0) + 1);
    }
  }
  closeSync(memory);
  return found;
}

test("raw key material is on no disk, in no answer and not in the memory of an idle server", { skip: !existsSync("/proc/self/mem") && "needs /proc", timeout: 300_000 }, async (t) => {
  const dataDir = await temporaryDirectory(t);
  const child = spawn(process.execPath, ["--conditions=@strongroom/source", resolve(import.meta.dirname, "kms-process.ts"), dataDir], { stdio: ["ignore", "pipe", "pipe"] });
  const said: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
  t.after(() => child.kill("SIGKILL"));
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const { endpoint, credentials } = JSON.parse(line) as { endpoint: string; credentials: Credentials };
  const answers: Buffer[] = [];
  const call = async (operation: string, body: object): Promise<Record<string, string>> => {
    const { status, text, json } = await signedCall({ endpoint, credentials, region: "eu-west-1", operation, body });
    assert.equal(status, 200, `${operation} ${text}`);
    answers.push(Buffer.from(text));
    return json as Record<string, string>;
  };
  const Message = Buffer.from("message").toString("base64");
  const use: Readonly<Record<KeyUsageType, (KeyId: string, spec: KeySpec, algorithm: string) => Promise<void>>> = {
    ENCRYPT_DECRYPT: async (KeyId, spec, EncryptionAlgorithm) => {
      const { CiphertextBlob } = await call("Encrypt", { KeyId, Plaintext: Message, EncryptionAlgorithm });
      await call("Decrypt", { KeyId, CiphertextBlob, EncryptionAlgorithm });
      if (spec !== "SYMMETRIC_DEFAULT") return;
      await call("GenerateDataKey", { KeyId, KeySpec: "AES_256" });
      await call("GenerateDataKeyPair", { KeyId, KeyPairSpec: "ECC_NIST_P256" });
      await call("RotateKeyOnDemand", { KeyId });
      await call("Decrypt", { CiphertextBlob });
    },
    SIGN_VERIFY: async (KeyId, _spec, SigningAlgorithm) => {
      await call("Sign", { KeyId, Message, SigningAlgorithm });
    },
    GENERATE_VERIFY_MAC: async (KeyId, _spec, MacAlgorithm) => {
      await call("GenerateMac", { KeyId, Message, MacAlgorithm });
    },
    KEY_AGREEMENT: async (KeyId) => {
      const { PublicKey } = await call("GetPublicKey", { KeyId });
      await call("DeriveSharedSecret", { KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey });
    },
    ENCAPSULATE_DECAPSULATE: async (KeyId) => {
      const { SharedSecretCiphertextBlob } = await call("Encapsulate", { KeyId, EncapsulationAlgorithm: "ML_KEM" });
      await call("Decapsulate", { KeyId, SharedSecretCiphertextBlob, EncapsulationAlgorithm: "ML_KEM" });
    },
  };
  for (let round = 0; round < 20; round++) {
    for (const [KeySpec, KeyUsage] of SPECS) {
      const { KeyMetadata } = (await call("CreateKey", { KeySpec, KeyUsage })) as unknown as { KeyMetadata: Record<string, string[]> & { KeyId: string } };
      const algorithm = (KeyMetadata["EncryptionAlgorithms"] ?? KeyMetadata["SigningAlgorithms"] ?? KeyMetadata["MacAlgorithms"] ?? [])[0] ?? "";
      await use[KeyUsage](KeyMetadata.KeyId, KeySpec, algorithm);
    }
  }
  await backup({ dataDir, to: join(dataDir, "backup.sqlite") });
  const secrets = secretsOf(dataDir);
  assert.equal(secrets.length, 20 * (SPECS.length + 1));
  for (const file of readdirSync(dataDir).filter((name) => statSync(join(dataDir, name)).isFile())) {
    assert.deepEqual(foundIn(readFileSync(join(dataDir, file)), secrets), [], file);
  }
  assert.deepEqual(foundIn(Buffer.concat(answers), secrets), []);
  assert.deepEqual(foundIn(Buffer.concat(said), secrets), []);
  await sleep(Number(process.env["STRONGROOM_IDLE_MS"] ?? 12_000));
  const inMemory = foundInMemory(child.pid!, secrets);
  t.diagnostic(`in the memory of the idle process: ${JSON.stringify(Object.fromEntries(inMemory))} of ${secrets.length} secrets`);
  assert.deepEqual(Object.fromEntries(inMemory), {});
});
