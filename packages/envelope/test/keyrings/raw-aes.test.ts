import assert from "node:assert/strict";
import { createDecipheriv, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import {
  buildClient,
  CommitmentPolicy,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from "@aws-crypto/client-node";
import { decrypt, encrypt, rawAesKeyring } from "@strongroom/envelope";
import { decryptionMaterials, encryptionMaterials, keyringContract, wrapped } from "../keyring-contract.ts";
import { rejectsWith, throwsWith } from "../support/errors.ts";

const names = { keyNamespace: "vault", keyName: "aes-1" };
const CALL = { signal: undefined };
const SUITES = [
  [16, "aes-128-gcm", RawAesWrappingSuiteIdentifier.AES128_GCM_IV12_TAG16_NO_PADDING],
  [24, "aes-192-gcm", RawAesWrappingSuiteIdentifier.AES192_GCM_IV12_TAG16_NO_PADDING],
  [32, "aes-256-gcm", RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING],
] as const;

for (const [length, cipher, wrappingSuite] of SUITES) {
  keyringContract({
    name: `raw AES, ${length * 8} bits`,
    setup: () => {
      const wrappingKey = randomBytes(length);
      return {
        writer: rawAesKeyring({ ...names, wrappingKey }),
        reader: rawAesKeyring({ ...names, wrappingKey }),
        stranger: rawAesKeyring({ ...names, wrappingKey: randomBytes(length) }),
      };
    },
  });

  describe(`raw AES keyring, ${length * 8} bits`, () => {
    test("an encrypted data key is laid out as the specification says", async () => {
      const wrappingKey = randomBytes(length);
      const { dataKey, keys } = await wrapped(rawAesKeyring({ ...names, wrappingKey }));
      const info = Buffer.from(keys[0]!.providerInfo);
      assert.equal(keys[0]!.providerId, "vault");
      assert.deepEqual(
        [info.toString("utf8", 0, 5), info.readUInt32BE(5), info.readUInt32BE(9), info.length],
        ["aes-1", 128, 12, 25],
      );
      const ciphertext = Buffer.from(keys[0]!.ciphertext);
      const opening = createDecipheriv(cipher, wrappingKey, info.subarray(13), { authTagLength: 16 });
      opening.setAAD(encryptionMaterials().encryptionContext.bytes).setAuthTag(ciphertext.subarray(-16));
      assert.deepEqual(Buffer.concat([opening.update(ciphertext.subarray(0, -16)), opening.final()]), dataKey);
    });

    for (const utf8Sorting of [true, false]) {
      test(`messages cross with the AWS Encryption SDK for JavaScript, utf8Sorting ${utf8Sorting}`, async () => {
        const wrappingKey = randomBytes(length);
        const ours = rawAesKeyring({ ...names, wrappingKey });
        const theirs = new RawAesKeyringNode({
          ...names,
          unencryptedMasterKey: Uint8Array.from(wrappingKey),
          wrappingSuite,
          utf8Sorting,
        });
        const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
        for (const encryptionContext of [
          {},
          { a: "1" },
          { b: "2", B: "1", "b-c": "4", bc: "3", "\u00e9": "\u{1F600}" },
        ] as readonly Record<string, string>[]) {
          const { result } = await client.encrypt(theirs, Buffer.from("theirs"), { encryptionContext });
          assert.equal(
            Buffer.from((await decrypt(result, { keyring: ours, encryptionContext })).plaintext).toString(),
            "theirs",
          );
          // Their reader, told nothing, orders by locale as well: what has more than one order it reads only with
          // utf8Sorting.
          if (!utf8Sorting && Object.keys(encryptionContext).length > 1) continue;
          const { message } = await encrypt(Buffer.from("ours"), { keyring: ours, encryptionContext });
          assert.equal((await client.decrypt(theirs, message)).plaintext.toString(), "ours");
        }
      });
    }
  });
}

describe("raw AES keyring", () => {
  test("another name or namespace is not its own", async () => {
    const wrappingKey = randomBytes(32);
    const { dataKey, keys } = await wrapped(rawAesKeyring({ ...names, wrappingKey }));
    for (const changed of [{ keyName: "aes-2" }, { keyName: "aes-" }, { keyNamespace: "hsm" }]) {
      const reader = rawAesKeyring({ ...names, ...changed, wrappingKey });
      await rejectsWith(reader.onDecrypt(decryptionMaterials(dataKey), keys, CALL), "no-matching-key");
    }
  });

  test("the wrapping key is copied, and wiped on disposal", async () => {
    const wrappingKey = randomBytes(32);
    const keyring = rawAesKeyring({ ...names, wrappingKey });
    wrappingKey.fill(0);
    const { dataKey, keys } = await wrapped(keyring);
    assert.deepEqual((await keyring.onDecrypt(decryptionMaterials(dataKey), keys, CALL)).dataKey?.bytes, dataKey);
    await rejectsWith(
      rawAesKeyring({ ...names, wrappingKey }).onDecrypt(decryptionMaterials(dataKey), keys, CALL),
      "decryption-failed",
    );
    keyring[Symbol.dispose]();
    await rejectsWith(keyring.onEncrypt(encryptionMaterials(), CALL), "secret-wiped");
  });

  test("options are checked", () => {
    const wrappingKey = randomBytes(32);
    for (const wrong of [
      { wrappingKey: randomBytes(31) },
      { keyNamespace: "aws-kms" },
      { keyName: "" },
      { keyName: "\ud800" },
    ]) {
      throwsWith(() => rawAesKeyring({ ...names, wrappingKey, ...wrong }), "option-invalid");
    }
  });
});
