import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { wrapMaterial } from "../imported-material.ts";
import { base64, behaviour } from "./behaviour.ts";
import type { Bench, Members } from "./behaviour.ts";

const DAY = 86_400_000;

/** Some members of every entry of a list. */
const pick = (entries: unknown, ...names: string[]): unknown[][] =>
  (entries as Members[]).map((entry) => names.map((name) => entry[name] as unknown));

async function importInto(
  b: Bench,
  KeyId: string,
  material: Uint8Array,
  more: object = { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" },
  WrappingAlgorithm = "RSAES_OAEP_SHA_256",
  region?: string,
): Promise<[string, object]> {
  const { ImportToken, PublicKey } = await b.ok(
    "GetParametersForImport",
    { KeyId, WrappingAlgorithm, WrappingKeySpec: "RSA_2048" },
    region,
  );
  return [
    "ImportKeyMaterial",
    { KeyId, ImportToken, EncryptedKeyMaterial: wrapMaterial(WrappingAlgorithm, PublicKey, material), ...more },
  ];
}

behaviour(
  31,
  "On-demand rotation changes CurrentKeyMaterialId (64 hexadecimal digits); old ciphertexts still decrypt",
  ["RotateKeyOnDemand", "ListKeyRotations", "Decrypt"],
  async (b) => {
    const { KeyId, Arn, CurrentKeyMaterialId: first } = await b.key();
    assert.match(first, /^[0-9a-f]{64}$/);
    const { CiphertextBlob: old } = await b.ok("Encrypt", { KeyId, Plaintext: base64("old") });
    assert.deepEqual(await b.ok("RotateKeyOnDemand", { KeyId }), { KeyId: Arn });
    const second = (await b.ok("DescribeKey", { KeyId }))["KeyMetadata"].CurrentKeyMaterialId;
    assert.notEqual(second, first);
    const opened = await b.ok("Decrypt", { CiphertextBlob: old });
    assert.deepEqual([opened["Plaintext"], opened["KeyMaterialId"]], [base64("old"), first]);
    const { CiphertextBlob: fresh } = await b.ok("Encrypt", { KeyId, Plaintext: base64("new") });
    assert.equal((await b.ok("Decrypt", { CiphertextBlob: fresh }))["KeyMaterialId"], second);
    const { Rotations } = await b.ok("ListKeyRotations", { KeyId });
    assert.deepEqual(pick(Rotations, "KeyMaterialId", "RotationType"), [[second, "ON_DEMAND"]]);
    const all = (await b.ok("ListKeyRotations", { KeyId, IncludeKeyMaterial: "ALL_KEY_MATERIAL" }))["Rotations"];
    assert.deepEqual(pick(all, "KeyMaterialId", "KeyMaterialState"), [
      [first, "NON_CURRENT"],
      [second, "CURRENT"],
    ]);
  },
);

behaviour(
  32,
  "NextRotationDate is unchanged by an on-demand rotation; RotationPeriodInDays (365) appears only when enabled",
  ["EnableKeyRotation", "DisableKeyRotation", "GetKeyRotationStatus", "RotateKeyOnDemand"],
  async (b) => {
    const { KeyId, Arn } = await b.key();
    assert.deepEqual(await b.ok("GetKeyRotationStatus", { KeyId }), { KeyId: Arn, KeyRotationEnabled: false });
    await b.ok("EnableKeyRotation", { KeyId });
    const status = await b.ok("GetKeyRotationStatus", { KeyId });
    assert.equal(status["RotationPeriodInDays"], 365);
    await b.ok("RotateKeyOnDemand", { KeyId });
    assert.deepEqual(await b.ok("GetKeyRotationStatus", { KeyId }), status);
    assert.equal((await b.refused("EnableKeyRotation", { KeyId, RotationPeriodInDays: 89 }))[0], "ValidationException");

    const before = (await b.ok("DescribeKey", { KeyId }))["KeyMetadata"].CurrentKeyMaterialId;
    b.clock.advance(366 * DAY);
    assert.notEqual(
      (await b.ok("DescribeKey", { KeyId }))["KeyMetadata"].CurrentKeyMaterialId,
      before,
      "a year has passed: it has rotated",
    );
    const { Rotations } = await b.ok("ListKeyRotations", { KeyId });
    assert.deepEqual(pick(Rotations, "RotationType").flat(), ["ON_DEMAND", "AUTOMATIC"]);
    await b.ok("DisableKeyRotation", { KeyId });
    assert.deepEqual(await b.ok("GetKeyRotationStatus", { KeyId }), { KeyId: Arn, KeyRotationEnabled: false });
  },
);

behaviour(33, "After 25 on-demand rotations: LimitExceededException", ["RotateKeyOnDemand"], async (b) => {
  const { KeyId, Arn } = await b.key();
  for (let i = 0; i < 25; i++) await b.ok("RotateKeyOnDemand", { KeyId });
  assert.deepEqual(await b.refused("RotateKeyOnDemand", { KeyId }), [
    "LimitExceededException",
    `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${Arn}`,
  ]);
});

behaviour(
  34,
  "Rotating an EXTERNAL key needs pending material",
  ["RotateKeyOnDemand", "ImportKeyMaterial"],
  async (b) => {
    const { KeyId, Arn } = await b.key({ Origin: "EXTERNAL" });
    assert.deepEqual(await b.refused("RotateKeyOnDemand", { KeyId }), [
      "KMSInvalidStateException",
      `${Arn} is pending import.`,
    ]);
    const { KeyMaterialId: first } = await b.ok(...(await importInto(b, KeyId, randomBytes(32))));
    assert.deepEqual(await b.refused("RotateKeyOnDemand", { KeyId }), [
      "KMSInvalidStateException",
      `No available key material pending rotation for the key: ${Arn}.`,
    ]);
    const { CiphertextBlob } = await b.ok("Encrypt", { KeyId, Plaintext: base64("old") });
    const { KeyMaterialId: second } = await b.ok(
      ...(await importInto(b, KeyId, randomBytes(32), {
        ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
        ImportType: "NEW_KEY_MATERIAL",
      })),
    );
    assert.equal((await b.ok("DescribeKey", { KeyId }))["KeyMetadata"].CurrentKeyMaterialId, first);
    await b.ok("RotateKeyOnDemand", { KeyId });
    assert.equal((await b.ok("DescribeKey", { KeyId }))["KeyMetadata"].CurrentKeyMaterialId, second);
    assert.equal((await b.ok("Decrypt", { CiphertextBlob }))["Plaintext"], base64("old"));
  },
);

behaviour(
  35,
  "A second pending import: KMSInvalidStateException naming both material ids",
  ["ImportKeyMaterial"],
  async (b) => {
    const { KeyId, Arn } = await b.key({ Origin: "EXTERNAL" });
    const next = { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE", ImportType: "NEW_KEY_MATERIAL" };
    await b.ok(...(await importInto(b, KeyId, randomBytes(32))));
    const { KeyMaterialId: pending } = await b.ok(...(await importInto(b, KeyId, randomBytes(32), next)));
    const [type, message] = await b.refused(...(await importInto(b, KeyId, randomBytes(32), next)));
    assert.equal(type, "KMSInvalidStateException");
    const [, id] = /^New key material \(id: ([0-9a-f]{64})\) cannot be imported into KMS key /.exec(message!)!;
    assert.notEqual(id, pending);
    assert.ok(message!.endsWith(`${Arn}, because another key material (id: ${pending}) is pending rotation.`));
  },
);

behaviour(
  36,
  "ExpirationModel defaults to KEY_MATERIAL_EXPIRES and then requires ValidTo; what expires is gone until imported again",
  ["ImportKeyMaterial", "DescribeKey"],
  async (b) => {
    const { KeyId, Arn } = await b.key({ Origin: "EXTERNAL" });
    const material = randomBytes(32);
    assert.deepEqual(await b.refused(...(await importInto(b, KeyId, material, {}))), [
      "ValidationException",
      "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES",
    ]);
    const ValidTo = Math.floor(b.clock.now() / 1000) + 3 * 86_400;
    await b.ok(...(await importInto(b, KeyId, material, { ValidTo })));
    const { KeyMetadata } = await b.ok("DescribeKey", { KeyId });
    assert.deepEqual(
      [KeyMetadata.KeyState, KeyMetadata.ExpirationModel, KeyMetadata.ValidTo],
      ["Enabled", "KEY_MATERIAL_EXPIRES", ValidTo],
    );
    const { CiphertextBlob } = await b.ok("Encrypt", { KeyId, Plaintext: base64("x") });
    b.clock.advance(3 * DAY + 1000);
    assert.deepEqual(await b.refused("Decrypt", { CiphertextBlob }), [
      "KMSInvalidStateException",
      `${Arn} is pending import.`,
    ]);
    assert.equal(
      (await b.refused(...(await importInto(b, KeyId, randomBytes(32)))))[0],
      "IncorrectKeyMaterialException",
    );
    await b.ok(...(await importInto(b, KeyId, material)));
    assert.equal((await b.ok("Decrypt", { CiphertextBlob }))["Plaintext"], base64("x"));
  },
);

behaviour(
  37,
  "Import by RSAES_OAEP and RSA_AES_KEY_WRAP, of symmetric, HMAC, ECC and RSA keys; not into AWS_KMS keys",
  ["GetParametersForImport", "ImportKeyMaterial", "DeleteImportedKeyMaterial"],
  async (b) => {
    const [privateKeyEncoding, publicKeyEncoding] = [
      { type: "pkcs8", format: "der" },
      { type: "spki", format: "der" },
    ] as const;
    const ec = generateKeyPairSync("ec", { namedCurve: "prime256v1", privateKeyEncoding, publicKeyEncoding });
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048, privateKeyEncoding, publicKeyEncoding });
    const cases: [object, Uint8Array, string, string | null][] = [
      [{}, randomBytes(32), "RSAES_OAEP_SHA_1", null],
      [{}, randomBytes(32), "RSAES_OAEP_SHA_256", null],
      [{ KeySpec: "HMAC_512", KeyUsage: "GENERATE_VERIFY_MAC" }, randomBytes(64), "RSA_AES_KEY_WRAP_SHA_1", null],
      [
        { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" },
        ec.privateKey,
        "RSAES_OAEP_SHA_256",
        base64(ec.publicKey),
      ],
      [
        { KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" },
        rsa.privateKey,
        "RSA_AES_KEY_WRAP_SHA_256",
        base64(rsa.publicKey),
      ],
    ];
    for (const [spec, material, algorithm, publicKey] of cases) {
      const { KeyId, Arn } = await b.key({ ...spec, Origin: "EXTERNAL" });
      const imported = await b.ok(...(await importInto(b, KeyId, material, undefined, algorithm)));
      assert.equal(imported["KeyId"], Arn);
      assert.equal((await b.ok("DescribeKey", { KeyId }))["KeyMetadata"].KeyState, "Enabled");
      if (publicKey !== null) assert.equal((await b.ok("GetPublicKey", { KeyId }))["PublicKey"], publicKey);
      await b.ok("DeleteImportedKeyMaterial", { KeyId });
      assert.equal((await b.ok("DescribeKey", { KeyId }))["KeyMetadata"].KeyState, "PendingImport");
    }
    const own = await b.key();
    const refusal = [
      "UnsupportedOperationException",
      `${own["Arn"]} origin is AWS_KMS which is not valid for this operation.`,
    ];
    assert.deepEqual(
      await b.refused("GetParametersForImport", {
        KeyId: own["KeyId"],
        WrappingAlgorithm: "RSAES_OAEP_SHA_256",
        WrappingKeySpec: "RSA_2048",
      }),
      refusal,
    );
    const external = await b.key({ Origin: "EXTERNAL" });
    const [, request] = await importInto(b, external["KeyId"], randomBytes(32));
    assert.deepEqual(
      await b.refused("ImportKeyMaterial", { ...request, EncryptedKeyMaterial: base64(randomBytes(256)) }),
      ["InvalidCiphertextException", undefined],
    );
    assert.equal(
      (await b.refused("ImportKeyMaterial", { ...request, ImportToken: base64(randomBytes(32)) }))[0],
      "InvalidImportTokenException",
    );
    b.clock.advance(DAY + 1000);
    assert.equal((await b.refused("ImportKeyMaterial", request))[0], "ExpiredImportTokenException");
  },
);
