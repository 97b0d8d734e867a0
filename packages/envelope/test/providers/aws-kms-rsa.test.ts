import assert from "node:assert/strict";
import { createHash, createPublicKey, generateKeyPairSync, publicEncrypt, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { decrypt, encrypt } from "@strongroom/envelope";
import { ALGORITHM_SUITES } from "@strongroom/envelope/format";
import type { Keyring } from "@strongroom/envelope";
import { KMS_RSA_DEFAULTS, kmsRsaKeyring } from "@strongroom/envelope/aws-kms-rsa";
import type { KmsRsaAlgorithm, KmsRsaClient, KmsRsaKeyringOptions } from "@strongroom/envelope/aws-kms-rsa";
import { decryptionMaterials, encryptionMaterials, keyringContract, wrapped } from "../keyring-contract.ts";
import { rejectsWith, throwsWith } from "../support/errors.ts";
import { createKey, runningKms } from "../support/running-kms.ts";

const REGION = "eu-west-1";
const kms = await runningKms(REGION);
const client = kms.client(REGION);
const CALL = { signal: undefined };
const PATIENT = { attemptTimeoutMs: 20_000, deadlineMs: 30_000 };

interface RsaKey {
  readonly keyArn: string;
  readonly publicKey: string;
}

async function rsaKey(spec: "RSA_2048" | "RSA_3072"): Promise<RsaKey> {
  const keyArn = await createKey(client, { KeySpec: spec, KeyUsage: "ENCRYPT_DECRYPT" });
  const { PublicKey } = await client.getPublicKey({ KeyId: keyArn });
  return {
    keyArn,
    publicKey: createPublicKey({ key: Buffer.from(PublicKey!), format: "der", type: "spki" }).export({
      format: "pem",
      type: "spki",
    }) as string,
  };
}

const mine = await rsaKey("RSA_2048");
const other = await rsaKey("RSA_2048");
const ALGORITHMS = [
  ["RSAES_OAEP_SHA_1", "sha1"],
  ["RSAES_OAEP_SHA_256", "sha256"],
] as const;

keyringContract({
  name: "AWS KMS RSA, against the project's KMS",
  suites: "unsigned",
  flipEvery: 41,
  setup: () => ({
    writer: kmsRsaKeyring({ keyArn: mine.keyArn, publicKey: mine.publicKey }),
    reader: kmsRsaKeyring({ keyArn: mine.keyArn, client, ...PATIENT }),
    // Says it is the same key, and asks for another.
    stranger: kmsRsaKeyring({
      keyArn: mine.keyArn,
      ...PATIENT,
      client: {
        decrypt: async (input, options) => ({
          ...(await client.decrypt({ ...input, KeyId: other.keyArn }, options)),
          KeyId: mine.keyArn,
        }),
      },
    }),
  }),
});

describe("AWS KMS RSA keyring", () => {
  for (const [encryptionAlgorithm, oaepHash] of ALGORITHMS) {
    test(`the digest of the context and the data key are wrapped together: ${encryptionAlgorithm}`, async () => {
      const { dataKey, keys } = await wrapped(kmsRsaKeyring({ ...mine, encryptionAlgorithm }));
      const [key] = keys;
      assert.deepEqual([key?.providerId, Buffer.from(key!.providerInfo).toString()], ["aws-kms-rsa", mine.keyArn]);
      const { Plaintext } = await client.decrypt({
        KeyId: mine.keyArn,
        CiphertextBlob: key!.ciphertext,
        EncryptionAlgorithm: encryptionAlgorithm,
      });
      const digest = createHash("sha384").update(encryptionMaterials().encryptionContext.bytes).digest();
      assert.deepEqual(Buffer.from(Plaintext!), Buffer.concat([digest, dataKey]));
      const theirs = {
        ...key!,
        ciphertext: publicEncrypt({ key: mine.publicKey, oaepHash }, Buffer.concat([digest, dataKey])),
      };
      const reader = kmsRsaKeyring({ keyArn: mine.keyArn, client, encryptionAlgorithm, ...PATIENT });
      assert.deepEqual((await reader.onDecrypt(decryptionMaterials(dataKey), [theirs], CALL)).dataKey?.bytes, dataKey);
    });
  }

  test("a larger key, as a key object", async () => {
    const { keyArn, publicKey } = await rsaKey("RSA_3072");
    const keyring = kmsRsaKeyring({ keyArn, publicKey: createPublicKey(publicKey), client, ...PATIENT });
    const { message } = await encrypt(Buffer.from("x"), { keyring, encryptionContext: {} });
    await decrypt(message, { keyring, encryptionContext: {} });
  });

  test("a data key wrapped for another context, or with anything else before it, does not open", async () => {
    const { dataKey, keys } = await wrapped(kmsRsaKeyring(mine));
    const reader = kmsRsaKeyring({ keyArn: mine.keyArn, client, ...PATIENT });
    const other = decryptionMaterials(dataKey, {
      encryptionContext: { ...encryptionMaterials().encryptionContext, bytes: Buffer.from("another") },
    });
    for (const [materials, list] of [
      [other, keys],
      [
        decryptionMaterials(dataKey),
        [{ ...keys[0]!, ciphertext: publicEncrypt({ key: mine.publicKey, oaepHash: "sha256" }, dataKey) }],
      ],
      [
        decryptionMaterials(dataKey),
        [
          {
            ...keys[0]!,
            ciphertext: publicEncrypt(
              { key: mine.publicKey, oaepHash: "sha256" },
              Buffer.concat([randomBytes(48), dataKey]),
            ),
          },
        ],
      ],
    ] as const) {
      const error = await rejectsWith(reader.onDecrypt(materials, list, CALL), "decryption-failed");
      assert.deepEqual(
        error.encryptedDataKeys?.map(({ outcome }) => outcome),
        ["does-not-open"],
      );
      assert.equal(materials.candidates.length, 0);
    }
  });

  test("signed suites are refused on either side", async () => {
    const keyring = kmsRsaKeyring({ ...mine, client });
    const suite = "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384" as const;
    const error = await rejectsWith(
      encrypt(Buffer.from("x"), { keyring, encryptionContext: {}, suite }),
      "keyring-unsuitable",
    );
    assert.match(error.message, /unsigned/);
    await rejectsWith(
      keyring.onDecrypt(decryptionMaterials(randomBytes(32), { suite: ALGORITHM_SUITES[suite] }), [], CALL),
      "keyring-unsuitable",
    );
  });

  test("a replica of a multi-Region key is its own, another key is not", async () => {
    const arn = (region: string, id = "mrk-1234"): string => `arn:aws:kms:${region}:000000000000:key/${id}`;
    const asked: string[] = [];
    const silent: KmsRsaClient = {
      decrypt: async ({ KeyId }) => (asked.push(KeyId), { KeyId, Plaintext: randomBytes(80) }),
    };
    const reader = kmsRsaKeyring({ keyArn: arn("eu-west-2"), client: silent });
    const edk = (named: string): { providerId: string; providerInfo: Uint8Array; ciphertext: Uint8Array } => ({
      providerId: "aws-kms-rsa",
      providerInfo: Buffer.from(named),
      ciphertext: randomBytes(256),
    });
    const materials = decryptionMaterials(randomBytes(32));
    await rejectsWith(
      reader.onDecrypt(materials, [edk(arn("eu-west-1")), edk(arn("eu-west-2", "mrk-5678"))], CALL),
      "decryption-failed",
    );
    assert.deepEqual(asked, [arn("eu-west-2")]);
    await rejectsWith(reader.onDecrypt(materials, [edk("alias/rsa")], CALL), "message-malformed");
  });

  test("what the KMS says comes through, and an answer of another key is not believed", async () => {
    const { dataKey, keys } = await wrapped(kmsRsaKeyring(mine));
    const plaintext = randomBytes(80);
    const lying = kmsRsaKeyring({
      keyArn: mine.keyArn,
      client: { decrypt: async () => ({ KeyId: other.keyArn, Plaintext: plaintext }) },
    });
    const error = await rejectsWith(lying.onDecrypt(decryptionMaterials(dataKey), keys, CALL), "regions-unavailable");
    assert.deepEqual(
      error.attempts?.map(({ reason }) => reason),
      ["wrong-key-id"],
    );
    assert.ok(plaintext.every((byte) => byte === 0));

    const disabled = await rsaKey("RSA_2048");
    const sealed = await wrapped(kmsRsaKeyring(disabled));
    await client.disableKey({ KeyId: disabled.keyArn });
    const reader = kmsRsaKeyring({ keyArn: disabled.keyArn, client, ...PATIENT });
    const refused = await rejectsWith(
      reader.onDecrypt(decryptionMaterials(sealed.dataKey), sealed.keys, CALL),
      "regions-unavailable",
    );
    assert.deepEqual(
      refused.attempts?.map(({ region, operation, reason, errorName }) => [region, operation, reason, errorName]),
      [[REGION, "Decrypt", "key-disabled", "DisabledException"]],
    );
  });

  test("half of what it needs does half the work", async () => {
    const { dataKey, keys } = await wrapped(kmsRsaKeyring(mine));
    await rejectsWith(kmsRsaKeyring(mine).onDecrypt(decryptionMaterials(dataKey), keys, CALL), "keyring-unsuitable");
    await rejectsWith(
      kmsRsaKeyring({ keyArn: mine.keyArn, client }).onEncrypt(encryptionMaterials(), CALL),
      "keyring-unsuitable",
    );
  });

  test("options: problems are listed all at once", () => {
    const short = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey;
    const options = {
      keyArn: "alias/rsa",
      encryptionAlgorithm: "SYMMETRIC_DEFAULT" as KmsRsaAlgorithm,
      publicKey: short,
      client: {},
      grantTokens: Array<string>(11).fill("t"),
    };
    const error = throwsWith(() => kmsRsaKeyring(options as unknown as KmsRsaKeyringOptions), "option-invalid");
    for (const part of ["keyArn", "encryptionAlgorithm", "publicKey", "no method decrypt", "grantTokens"])
      assert.ok(error.message.includes(part), part);
    throwsWith(() => kmsRsaKeyring({ keyArn: mine.keyArn }), "option-invalid");
    assert.equal(KMS_RSA_DEFAULTS.encryptionAlgorithm, "RSAES_OAEP_SHA_256");
    const typed: Keyring = kmsRsaKeyring({ ...mine, client });
    assert.equal(typeof typed.onEncrypt, "function");
  });
});
