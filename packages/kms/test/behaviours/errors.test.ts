import assert from "node:assert/strict";
import { NOWHERE, arnOf, base64, behaviour } from "./behaviour.ts";

behaviour(
  1,
  "Modelled errors have status 400 and say __type and message; AccessDeniedException says Message",
  ["DescribeKey", "Decrypt"],
  async (b) => {
    const absent = await b.wire("DescribeKey", { KeyId: NOWHERE });
    assert.equal(absent.status, 400);
    assert.equal(absent.headers.get("content-type"), "application/x-amz-json-1.1");
    assert.ok(absent.headers.get("x-amzn-requestid"));
    assert.deepEqual(absent.json, { __type: "NotFoundException", message: `Key '${arnOf(NOWHERE)}' does not exist` });
    const { CiphertextBlob } = await b.ok("Encrypt", { KeyId: (await b.key())["KeyId"], Plaintext: base64("x") });
    const denied = await b.wire("Decrypt", { CiphertextBlob }, "eu-west-2");
    assert.equal(denied.status, 400);
    assert.deepEqual(Object.keys(denied.json), ["__type", "Message"]);
  },
);

behaviour(
  2,
  "InvalidCiphertextException, KMSInvalidSignatureException and KMSInvalidMacException carry no message",
  ["Decrypt", "Verify", "VerifyMac"],
  async (b) => {
    assert.equal(
      (await b.wire("Decrypt", { CiphertextBlob: base64("junk") })).text,
      '{"__type":"InvalidCiphertextException"}',
    );
    const signer = await b.key({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    const verify = {
      KeyId: signer["KeyId"],
      Message: base64("m"),
      Signature: base64("s"),
      SigningAlgorithm: "ECDSA_SHA_256",
    };
    assert.equal((await b.wire("Verify", verify)).text, '{"__type":"KMSInvalidSignatureException"}');
    const mac = await b.key({ KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" });
    const verifyMac = { KeyId: mac["KeyId"], Message: base64("m"), Mac: base64("x"), MacAlgorithm: "HMAC_SHA_256" };
    assert.equal((await b.wire("VerifyMac", verifyMac)).text, '{"__type":"KMSInvalidMacException"}');
  },
);

behaviour(
  3,
  "Constraint errors name value, lowerCamel path and constraint",
  ["CreateKey", "GenerateRandom", "TagResource"],
  async (b) => {
    const message = async (operation: string, body: object): Promise<string | undefined> => {
      const [type, text] = await b.refused(operation, body);
      assert.equal(type, "ValidationException");
      return text;
    };
    assert.equal(
      await message("GenerateRandom", { NumberOfBytes: 1025 }),
      "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have " +
        "value less than or equal to 1024",
    );
    const long = "a".repeat(129);
    assert.equal(
      await message("CreateKey", { Tags: [{ TagKey: long, TagValue: "" }] }),
      `1 validation error detected: Value '${long}' at 'tags.1.member.tagKey' failed to satisfy constraint: Member must have length less than or equal to 128`,
    );
    assert.match(
      (await message("CreateKey", { KeyUsage: "RANDOM" }))!,
      /^1 validation error detected: Value 'RANDOM' at 'keyUsage' failed to satisfy constraint: Member must satisfy enum value set: \[ENCRYPT_DECRYPT, SIGN_VERIFY, GENERATE_VERIFY_MAC/,
    );
    assert.equal(
      await message("TagResource", {}),
      "2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null; " +
        "Value null at 'tags' failed to satisfy constraint: Member must not be null",
    );
  },
);

behaviour(4, "A malformed key id: NotFoundException Invalid keyId", ["DescribeKey", "EnableKey"], async (b) => {
  for (const KeyId of ["fake-key-id", "134f2428cec14b25a1ae9048164dba47", "mrk-fake-key-id"]) {
    assert.deepEqual(await b.refused("DescribeKey", { KeyId }), ["NotFoundException", `Invalid keyId '${KeyId}'`]);
  }
  assert.equal((await b.refused("EnableKey", { KeyId: "alias/not-taken-here" }))[0], "NotFoundException");
});

behaviour(5, "A valid key id that is absent: Key '<arn>' does not exist", ["DescribeKey"], async (b) => {
  const mrk = "mrk-1234abcd1234abcd1234abcd1234abcd";
  for (const KeyId of [NOWHERE, mrk, arnOf(NOWHERE)]) {
    const arn = KeyId.startsWith("arn:") ? KeyId : arnOf(KeyId);
    assert.deepEqual(await b.refused("DescribeKey", { KeyId }), ["NotFoundException", `Key '${arn}' does not exist`]);
  }
});

behaviour(6, "An ARN of another region: Invalid arn <that region>", ["DescribeKey"], async (b) => {
  const { Arn } = await b.key({}, "eu-west-2");
  assert.deepEqual(await b.refused("DescribeKey", { KeyId: Arn }), ["NotFoundException", "Invalid arn eu-west-2"]);
});

behaviour(7, "A missing alias: Alias <arn> is not found.", ["DescribeKey", "DeleteAlias", "UpdateAlias"], async (b) => {
  const message = "Alias arn:aws:kms:eu-west-1:000000000000:alias/none is not found.";
  assert.deepEqual(await b.refused("DescribeKey", { KeyId: "alias/none" }), ["NotFoundException", message]);
  assert.deepEqual(await b.refused("DeleteAlias", { AliasName: "alias/none" }), ["NotFoundException", message]);
  assert.deepEqual(await b.refused("UpdateAlias", { AliasName: "alias/none", TargetKeyId: NOWHERE }), [
    "NotFoundException",
    message,
  ]);
});

behaviour(
  8,
  "A blob that is not base64, a wrong type, a body that is not JSON: SerializationException",
  ["Decrypt", "Encrypt"],
  async (b) => {
    for (const CiphertextBlob of ["!!!", "YQ", "YR==", " YQ==", 7]) {
      assert.equal(
        (await b.refused("Decrypt", { CiphertextBlob }))[0],
        "SerializationException",
        String(CiphertextBlob),
      );
    }
    assert.deepEqual(await b.refused("DescribeKey", { KeyId: 5 }), [
      "SerializationException",
      "NUMBER_VALUE can not be converted to a String",
    ]);
    for (const body of ["{", "[]", "null", '"x"', "\u0000"])
      assert.equal((await b.wire("Encrypt", body)).json["__type"], "SerializationException", body);
  },
);
