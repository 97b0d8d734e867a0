import assert from "node:assert/strict";
import { test } from "node:test";
import { ACCOUNT } from "../running-kms.ts";
import { base64, bench } from "./behaviour.ts";

const root = `arn:aws:iam::${ACCOUNT}:root`;

void test("half of a surrogate pair is no text: two contexts are never one", async (t) => {
  const b = await bench(t);
  const { KeyId } = await b.key();
  const CiphertextBlob = (await b.ok("Encrypt", { KeyId, Plaintext: base64("m"), EncryptionContext: { a: "\ufffd" } }))[
    "CiphertextBlob"
  ] as string;
  const grant = { KeyId, GranteePrincipal: root, Operations: ["Decrypt"] };
  const tag = { TagKey: "a", TagValue: "b" };
  for (const half of ["\ud800", "\udfff", "a\ud83d", "\ude00\ud83d"])
    for (const [operation, body] of [
      ["Encrypt", { KeyId, Plaintext: base64("m"), EncryptionContext: { a: half } }],
      ["Encrypt", { KeyId, Plaintext: base64("m"), EncryptionContext: { [half]: "a" } }],
      ["Decrypt", { CiphertextBlob, EncryptionContext: { a: half } }],
      ["ReEncrypt", { CiphertextBlob, DestinationKeyId: KeyId, SourceEncryptionContext: { a: half } }],
      ["GenerateDataKey", { KeyId, KeySpec: "AES_256", EncryptionContext: { a: half } }],
      ["CreateGrant", { ...grant, Constraints: { EncryptionContextSubset: { a: half } } }],
      ["CreateGrant", { ...grant, Name: half }],
      ["TagResource", { KeyId, Tags: [{ ...tag, TagKey: half }] }],
      ["TagResource", { KeyId, Tags: [{ ...tag, TagValue: half }] }],
      ["UntagResource", { KeyId, TagKeys: [half] }],
      ["CreateKey", { Description: half }],
      ["UpdateKeyDescription", { KeyId, Description: half }],
      ["DescribeKey", { KeyId: half }],
      ["CreateKey", { KeySpec: half }],
    ] as const)
      assert.equal(
        (await b.refused(operation, body))[0],
        "SerializationException",
        `${operation} ${JSON.stringify(half)}`,
      );
  await b.ok("UpdateKeyDescription", { KeyId, Description: "\u{1f600} and \ufffd and \u0000" });
  assert.equal((await b.ok("DescribeKey", { KeyId }))["KeyMetadata"].Description, "\u{1f600} and \ufffd and \u0000");
});

void test("nested ten thousand deep, a member is of the wrong type and no error of the server", async (t) => {
  const b = await bench(t);
  const { KeyId } = await b.key();
  const lists = "[".repeat(10_000) + "]".repeat(10_000);
  const objects = `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`;
  for (const deep of [lists, objects])
    for (const [operation, members] of [
      ["TagResource", `"Tags":[${deep}]`],
      ["TagResource", `"Tags":[{"TagKey":${deep},"TagValue":"a"}]`],
      ["UntagResource", `"TagKeys":[${deep}]`],
      ["CreateGrant", `"GranteePrincipal":"${root}","Operations":[${deep}]`],
      [
        "CreateGrant",
        `"GranteePrincipal":"${root}","Operations":[],"Constraints":{"EncryptionContextEquals":{"a":${deep}}}`,
      ],
      ["Encrypt", `"Plaintext":"bQ==","EncryptionContext":{"a":${deep}}`],
      ["Encrypt", `"Plaintext":"bQ==","GrantTokens":[${deep}]`],
      ["Encrypt", `"Plaintext":${deep}`],
      ["ReEncrypt", `"DestinationKeyId":"${String(KeyId)}","DryRunModifiers":[${deep}]`],
      ["ScheduleKeyDeletion", `"PendingWindowInDays":${deep}`],
      ["ImportKeyMaterial", `"ImportToken":"YQ==","EncryptedKeyMaterial":"YQ==","ValidTo":${deep}`],
    ] as const) {
      const { status, json } = await b.wire(operation, `{"KeyId":"${String(KeyId)}",${members}}`);
      // An object where a structure is wanted is the right type, and lacks members.
      assert.match(json["__type"] as string, /^(?:Serialization|Validation)Exception$/, members.slice(0, 60));
      assert.equal(status, 400, operation);
    }
});

void test("a grant of one name with its pairs in another order is the same grant, with other content another", async (t) => {
  const b = await bench(t);
  const { KeyId } = await b.key();
  const make = async (members: object): Promise<unknown> =>
    (
      await b.ok("CreateGrant", {
        ...{ KeyId, GranteePrincipal: root, Name: "one", Operations: ["Encrypt", "Decrypt"] },
        ...{
          Constraints: { EncryptionContextSubset: { a: "1", b: "2" }, EncryptionContextEquals: { a: "1", b: "2" } },
        },
        ...members,
      })
    )["GrantId"];
  const first = await make({});
  const Constraints = { EncryptionContextEquals: { b: "2", a: "1" }, EncryptionContextSubset: { b: "2", a: "1" } };
  for (const same of [{}, { Constraints }, { Operations: ["Decrypt", "Encrypt", "Decrypt"] }])
    assert.equal(await make(same), first, JSON.stringify(same));
  const others = [
    { Name: "two" },
    { Operations: ["Decrypt"] },
    { RetiringPrincipal: root },
    { GranteePrincipal: root.replace("root", "user/ann") },
    { Constraints: { EncryptionContextSubset: { a: "1", b: "2" } } },
    { Constraints: { ...Constraints, EncryptionContextSubset: { a: "1" } } },
  ];
  const ids = new Set([first, ...(await Promise.all(others.map(make)))]);
  assert.equal(ids.size, others.length + 1);
});

void test("a dry run without a ciphertext asks of the keys all that it can", async (t) => {
  const b = await bench(t);
  const [good, signing, rsa] = await Promise.all([
    b.key(),
    b.key({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" }),
    b.key({ KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" }),
  ]);
  const dry = { DryRun: true, DryRunModifiers: ["IGNORE_CIPHERTEXT"] };
  const decrypt = async ({ KeyId }: object & { KeyId?: string }, members: object = {}): Promise<string> =>
    (await b.refused("Decrypt", { KeyId, ...dry, ...members }))[0];
  const from = async ({ KeyId }: object & { KeyId?: string }, members: object = {}): Promise<string> =>
    (await b.refused("ReEncrypt", { SourceKeyId: KeyId, DestinationKeyId: good["KeyId"], ...dry, ...members }))[0];
  assert.equal(await decrypt(good), "DryRunOperationException");
  assert.equal(await from(good), "DryRunOperationException");
  for (const wrong of [signing, rsa])
    assert.deepEqual(
      [await decrypt(wrong), await from(wrong)],
      ["InvalidKeyUsageException", "InvalidKeyUsageException"],
    );
  const algorithm = "RSAES_OAEP_SHA_256";
  assert.equal(await decrypt(rsa, { EncryptionAlgorithm: algorithm }), "DryRunOperationException");
  assert.equal(await from(rsa, { SourceEncryptionAlgorithm: algorithm }), "DryRunOperationException");
  assert.equal(await decrypt(good, { EncryptionAlgorithm: algorithm }), "InvalidKeyUsageException");
  assert.equal(await from(good, { SourceEncryptionAlgorithm: algorithm }), "InvalidKeyUsageException");
});
