import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { fixedRsaKey } from "../fixed-rsa-keys.ts";
import { base64, behaviour } from "./behaviour.ts";

const RSA_SPECS = ["RSA_2048", "RSA_3072", "RSA_4096"] as const;
const RSA_SEED = {
  keys: RSA_SPECS.map((spec) => ({
    id: randomUUID(),
    spec,
    usage: "ENCRYPT_DECRYPT" as const,
    aliases: [`alias/${spec}`],
    material: fixedRsaKey(spec),
  })),
};

behaviour(15, "Plaintext has 1 to 4096 bytes; the error omits the value", ["Encrypt"], async (b) => {
  const { KeyId } = await b.key();
  await b.ok("Encrypt", { KeyId, Plaintext: base64(Buffer.alloc(4096, 7)) });
  assert.deepEqual(await b.refused("Encrypt", { KeyId, Plaintext: base64(Buffer.alloc(4097)) }), [
    "ValidationException",
    "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less " +
      "than or equal to 4096",
  ]);
  assert.deepEqual(await b.refused("Encrypt", { KeyId, Plaintext: "" }), [
    "ValidationException",
    "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length " +
      "greater than or equal to 1",
  ]);
});

behaviour(
  16,
  "RSA encrypts at most 214/190, 342/318 and 470/446 bytes, by key size and OAEP hash",
  ["Encrypt", "Decrypt"],
  async (b) => {
    const limits = { RSA_2048: [214, 190], RSA_3072: [342, 318], RSA_4096: [470, 446] } as const;
    for (const KeySpec of RSA_SPECS) {
      const [KeyId, [sha1, sha256]] = [`alias/${KeySpec}`, limits[KeySpec]];
      for (const [EncryptionAlgorithm, most] of [
        ["RSAES_OAEP_SHA_1", sha1],
        ["RSAES_OAEP_SHA_256", sha256],
      ] as const) {
        const { CiphertextBlob } = await b.ok("Encrypt", {
          KeyId,
          EncryptionAlgorithm,
          Plaintext: base64(Buffer.alloc(most, 1)),
        });
        assert.equal(
          (await b.ok("Decrypt", { KeyId, EncryptionAlgorithm, CiphertextBlob }))["Plaintext"],
          base64(Buffer.alloc(most, 1)),
        );
        assert.deepEqual(
          await b.refused("Encrypt", { KeyId, EncryptionAlgorithm, Plaintext: base64(Buffer.alloc(most + 1)) }),
          [
            "ValidationException",
            `Algorithm ${EncryptionAlgorithm} and key spec ${KeySpec} cannot encrypt data larger than ${most} bytes.`,
          ],
        );
      }
    }
  },
  { seed: RSA_SEED },
);

behaviour(
  17,
  "A wrong or missing context, a truncated or extended blob: InvalidCiphertextException",
  ["Decrypt"],
  async (b) => {
    const { KeyId } = await b.key();
    const { CiphertextBlob } = await b.ok("Encrypt", { KeyId, Plaintext: base64("x"), EncryptionContext: { a: "1" } });
    const blob = Buffer.from(CiphertextBlob, "base64");
    const attempts = [
      { CiphertextBlob },
      { CiphertextBlob, EncryptionContext: { a: "2" } },
      { CiphertextBlob, EncryptionContext: { a: "1", b: "" } },
      { CiphertextBlob: base64(blob.subarray(0, -1)), EncryptionContext: { a: "1" } },
      { CiphertextBlob: base64(Buffer.concat([blob, blob.subarray(0, 1)])), EncryptionContext: { a: "1" } },
    ];
    for (const attempt of attempts)
      assert.deepEqual(await b.refused("Decrypt", attempt), ["InvalidCiphertextException", undefined]);
  },
);

behaviour(18, "The order of the context is irrelevant", ["Encrypt", "Decrypt"], async (b) => {
  const { KeyId } = await b.key();
  const { CiphertextBlob } = await b.ok("Encrypt", {
    KeyId,
    Plaintext: base64("x"),
    EncryptionContext: { z: "1", "\u{1F600}": "2", "\uFFFD": "3" },
  });
  assert.equal(
    (await b.ok("Decrypt", { CiphertextBlob, EncryptionContext: { "\uFFFD": "3", z: "1", "\u{1F600}": "2" } }))[
      "Plaintext"
    ],
    base64("x"),
  );
});

behaviour(
  19,
  "A wrong KeyId on Decrypt or SourceKeyId on ReEncrypt: IncorrectKeyException",
  ["Decrypt", "ReEncrypt"],
  async (b) => {
    const [one, two] = [await b.key(), await b.key()];
    const { CiphertextBlob } = await b.ok("Encrypt", { KeyId: one["KeyId"], Plaintext: base64("x") });
    const refusal = [
      "IncorrectKeyException",
      "The key ID in the request does not identify a CMK that can perform this operation.",
    ];
    assert.deepEqual(await b.refused("Decrypt", { CiphertextBlob, KeyId: two["KeyId"] }), refusal);
    assert.deepEqual(
      await b.refused("ReEncrypt", { CiphertextBlob, SourceKeyId: two["KeyId"], DestinationKeyId: one["KeyId"] }),
      refusal,
    );
  },
);

behaviour(20, "A well-formed blob of an unknown key, without KeyId: AccessDeniedException", ["Decrypt"], async (b) => {
  const { KeyId } = await b.key();
  const { CiphertextBlob } = await b.ok("Encrypt", { KeyId, Plaintext: base64("x") });
  const blob = Buffer.from(CiphertextBlob, "base64");
  Buffer.from(randomUUID().replaceAll("-", ""), "hex").copy(blob, 5);
  const [type, message] = await b.refused("Decrypt", { CiphertextBlob: base64(blob) });
  assert.equal(type, "AccessDeniedException");
  assert.match(message!, /does not exist, does not exist in this region, or you are not allowed to access/);
});

behaviour(
  21,
  "The wrong usage: <arn> key usage is X which is not valid for <Op>.",
  ["Encrypt", "Sign", "GenerateMac", "Verify", "DeriveSharedSecret", "GenerateDataKey"],
  async (b) => {
    const symmetric = await b.key();
    const signer = await b.key({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    const Message = base64("m");
    const cases: [string, Record<string, unknown>, string, string][] = [
      ["Encrypt", { KeyId: signer["KeyId"], Plaintext: Message }, signer["Arn"], "SIGN_VERIFY"],
      ["GenerateDataKey", { KeyId: signer["KeyId"], KeySpec: "AES_256" }, signer["Arn"], "SIGN_VERIFY"],
      [
        "Sign",
        { KeyId: symmetric["KeyId"], Message, SigningAlgorithm: "ECDSA_SHA_256" },
        symmetric["Arn"],
        "ENCRYPT_DECRYPT",
      ],
      [
        "Verify",
        { KeyId: symmetric["KeyId"], Message, Signature: Message, SigningAlgorithm: "ECDSA_SHA_256" },
        symmetric["Arn"],
        "ENCRYPT_DECRYPT",
      ],
      [
        "GenerateMac",
        { KeyId: symmetric["KeyId"], Message, MacAlgorithm: "HMAC_SHA_256" },
        symmetric["Arn"],
        "ENCRYPT_DECRYPT",
      ],
      [
        "DeriveSharedSecret",
        { KeyId: symmetric["KeyId"], KeyAgreementAlgorithm: "ECDH", PublicKey: Message },
        symmetric["Arn"],
        "ENCRYPT_DECRYPT",
      ],
    ];
    for (const [operation, body, arn, usage] of cases) {
      assert.deepEqual(await b.refused(operation, body), [
        "InvalidKeyUsageException",
        `${arn} key usage is ${usage} which is not valid for ${operation}.`,
      ]);
    }
  },
);

behaviour(
  22,
  "Encrypt, ReEncrypt and Decrypt echo the algorithms; Decrypt adds KeyMaterialId",
  ["Encrypt", "ReEncrypt", "Decrypt"],
  async (b) => {
    const { KeyId, Arn, CurrentKeyMaterialId } = await b.key();
    const encrypted = await b.ok("Encrypt", { KeyId, Plaintext: base64("x") });
    assert.deepEqual(
      { ...encrypted, CiphertextBlob: "" },
      { CiphertextBlob: "", KeyId: Arn, EncryptionAlgorithm: "SYMMETRIC_DEFAULT" },
    );
    const { CiphertextBlob } = encrypted;
    assert.deepEqual(await b.ok("Decrypt", { CiphertextBlob }), {
      KeyId: Arn,
      Plaintext: base64("x"),
      EncryptionAlgorithm: "SYMMETRIC_DEFAULT",
      KeyMaterialId: CurrentKeyMaterialId,
    });
    const moved = await b.ok("ReEncrypt", { CiphertextBlob, DestinationKeyId: KeyId });
    assert.deepEqual(
      [moved["SourceEncryptionAlgorithm"], moved["DestinationEncryptionAlgorithm"]],
      ["SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT"],
    );
  },
);

behaviour(23, "KeyId takes an id, an ARN, an alias and an alias ARN", ["Encrypt", "DescribeKey"], async (b) => {
  const { KeyId, Arn } = await b.key();
  await b.ok("CreateAlias", { AliasName: "alias/four-ways", TargetKeyId: Arn });
  for (const name of [KeyId, Arn, "alias/four-ways", String(Arn).replace(/key\/.*/, "alias/four-ways")]) {
    assert.equal((await b.ok("Encrypt", { KeyId: name, Plaintext: base64("x") }))["KeyId"], Arn);
    assert.equal((await b.ok("DescribeKey", { KeyId: name }))["KeyMetadata"].Arn, Arn);
  }
});

behaviour(
  24,
  "NumberOfBytes absent, 0 and 1025: each its own error",
  ["GenerateRandom", "GenerateDataKey"],
  async (b) => {
    assert.deepEqual(await b.refused("GenerateRandom", {}), ["ValidationException", "NumberOfBytes is required."]);
    const constraint = (value: number, words: string): [string, string] => [
      "ValidationException",
      `1 validation error detected: Value '${value}' at 'numberOfBytes' failed to satisfy constraint: Member must have value ${words}`,
    ];
    assert.deepEqual(
      await b.refused("GenerateRandom", { NumberOfBytes: 0 }),
      constraint(0, "greater than or equal to 1"),
    );
    assert.deepEqual(
      await b.refused("GenerateRandom", { NumberOfBytes: 1025 }),
      constraint(1025, "less than or equal to 1024"),
    );
    assert.equal(
      Buffer.from((await b.ok("GenerateRandom", { NumberOfBytes: 1024 }))["Plaintext"], "base64").length,
      1024,
    );
    const { KeyId } = await b.key();
    for (const body of [{ KeyId }, { KeyId, NumberOfBytes: 5, KeySpec: "AES_256" }]) {
      assert.deepEqual(await b.refused("GenerateDataKey", body), [
        "ValidationException",
        "Please specify either number of bytes or key spec.",
      ]);
    }
  },
);
