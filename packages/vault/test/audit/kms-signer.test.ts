// Checkpoints signed by keys of our own KMS, over its API.

import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { type CreateKeyCommandInput, KMS } from "@aws-sdk/client-kms";
import { createKms } from "@strongroom/kms";
import { formatCheckpoint } from "@strongroom/tlog/checkpoint";
import { parseVkey } from "@strongroom/tlog/keys";
import { formatSignature, openNote } from "@strongroom/tlog/note";
import { leafHash } from "@strongroom/tlog/tree";
import { kmsCheckpointSigner } from "../../src/audit/kms-signer.ts";
import type { SigningKmsClient } from "../../src/audit/kms-signer.ts";
import type { CheckpointSigner } from "../../src/audit/signer.ts";
import { defer } from "../../../../tests/support/defer.ts";

const ORIGIN = "strongroom/5f3c1e0a-7b1d-4c55-9a52-0d8f6a1b2c3d/0b6d1f9e-3c58-4f3a-8d0c-2f1e9a7b5c4d";
const TEXT = formatCheckpoint({ origin: ORIGIN, size: 70_000_000_000, root: leafHash("root") });
const hasMlDsa = Number(process.versions.node.split(".")[0]) >= 24;
const SPECS = (["ECC_NIST_EDWARDS25519", "ML_DSA_44"] as const).filter((spec) => hasMlDsa || spec !== "ML_DSA_44");

async function signingKms(t: TestContext): Promise<{
  readonly client: KMS;
  readonly makeKey: (input: CreateKeyCommandInput) => Promise<string>;
}> {
  const kms = await createKms();
  defer(t, () => kms.close());
  const client = new KMS({ ...kms.clientConfig(), maxAttempts: 1 });
  defer(t, () => {
    client.destroy();
  });
  const makeKey = async (input: CreateKeyCommandInput): Promise<string> =>
    (await client.createKey(input)).KeyMetadata!.Arn!;
  return { client, makeKey };
}

const noteOf = async (signer: CheckpointSigner): Promise<string> =>
  `${TEXT}\n${formatSignature(signer.verifierOf(ORIGIN), await signer.sign(ORIGIN, TEXT))}`;

test("keys of a KMS sign checkpoints, which their verifier keys open, and no other text", async (t) => {
  const { client, makeKey } = await signingKms(t);
  for (const KeySpec of SPECS) {
    const keyId = await makeKey({ KeySpec, KeyUsage: "SIGN_VERIFY" });
    const { PublicKey } = await client.getPublicKey({ KeyId: keyId });
    const signer = await kmsCheckpointSigner({ client, keyId, publicKeySha256: hash("sha256", PublicKey!) });
    const note = await noteOf(signer);
    const verifier = parseVkey(signer.verifierOf(ORIGIN).vkey);
    assert.equal(openNote(note, [verifier]).verifiers.length, 1, KeySpec);
    assert.throws(() => openNote(note.replace("70000000000", "70000000001"), [verifier]), { code: "signature-wrong" });
    const other = signer.verifierOf(ORIGIN.replace("5f3c", "5f3d"));
    assert.throws(() => openNote(note, [other]), { code: "unsigned" }, "of another log");
    await assert.rejects(kmsCheckpointSigner({ client, keyId, publicKeySha256: hash("sha256", "another") }), {
      code: "vault-option-invalid",
      message: /not the one that is configured/,
    });
  }
});

test("a cosignature holds the time at which it was made", { skip: !hasMlDsa }, async (t) => {
  const { client, makeKey } = await signingKms(t);
  const keyId = await makeKey({ KeySpec: "ML_DSA_44", KeyUsage: "SIGN_VERIFY" });
  const signer = await kmsCheckpointSigner({ client, keyId }, () => 1_790_000_000_999);
  const signature = Buffer.from(await signer.sign(ORIGIN, TEXT));
  assert.equal(signature.readBigUInt64BE(0), 1_790_000_000n);
  assert.equal(signature.length, 8 + 2420);
  await assert.rejects(signer.sign(ORIGIN, "no checkpoint\n"), RangeError);
});

test("what does not sign notes is refused when it is configured", async (t) => {
  const { client, makeKey } = await signingKms(t);
  for (const input of [
    { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" },
    { KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" },
    ...(hasMlDsa ? [{ KeySpec: "ML_DSA_65", KeyUsage: "SIGN_VERIFY" } as const] : []),
  ] as const)
    await assert.rejects(kmsCheckpointSigner({ client, keyId: await makeKey(input) }), {
      code: "vault-option-invalid",
    });
  const symmetric = await makeKey({});
  await assert.rejects(kmsCheckpointSigner({ client, keyId: symmetric }), { code: "audit-unavailable" });
  await assert.rejects(kmsCheckpointSigner({ client, keyId: `${symmetric.slice(0, -4)}0000` }), {
    code: "audit-unavailable",
  });
});

test("a KMS that signs with another key is found out, whichever key it says it was", async (t) => {
  const { client, makeKey } = await signingKms(t);
  const [keyId = "", other = ""] = await Promise.all(
    [1, 2].map(() => makeKey({ KeySpec: "ECC_NIST_EDWARDS25519", KeyUsage: "SIGN_VERIFY" })),
  );
  const lies: readonly SigningKmsClient["sign"][] = [
    async (input) => ({ ...(await client.sign({ ...input, KeyId: other })), KeyId: keyId }),
    async (input) => ({ ...(await client.sign(input)), KeyId: other }),
    async (input) => client.sign({ ...input, Message: Buffer.from("another text") }),
    () => Promise.resolve({ KeyId: keyId }),
  ];
  for (const sign of lies) {
    const lying = { getPublicKey: client.getPublicKey.bind(client), sign };
    const signer = await kmsCheckpointSigner({ client: lying, keyId });
    await assert.rejects(signer.sign(ORIGIN, TEXT), /not by the key that it was/);
  }
  const another: SigningKmsClient["getPublicKey"] = async () => client.getPublicKey({ KeyId: other });
  await assert.rejects(kmsCheckpointSigner({ client: { getPublicKey: another, sign: lies[0]! }, keyId }), {
    code: "vault-option-invalid",
  });
});

test("a key that is disabled while the vault runs signs nothing, and does again when it is back", async (t) => {
  const { client, makeKey } = await signingKms(t);
  const keyId = await makeKey({ KeySpec: "ECC_NIST_EDWARDS25519", KeyUsage: "SIGN_VERIFY" });
  const signer = await kmsCheckpointSigner({ client, keyId });
  await client.disableKey({ KeyId: keyId });
  await assert.rejects(signer.sign(ORIGIN, TEXT), { name: "DisabledException" });
  await client.enableKey({ KeyId: keyId });
  assert.ok(await noteOf(signer));
});
