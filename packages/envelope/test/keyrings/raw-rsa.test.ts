import assert from "node:assert/strict";
import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { buildClient, CommitmentPolicy, RawRsaKeyringNode } from "@aws-crypto/client-node";
import { decrypt, encrypt } from "@strongroom/envelope";
import { RAW_RSA_DEFAULTS, rawRsaKeyring } from "@strongroom/envelope/raw-rsa";
import type { RawRsaKeyringOptions, RsaPadding } from "@strongroom/envelope/raw-rsa";
import { decryptionMaterials, encryptionMaterials, keyringContract, wrapped } from "../keyring-contract.ts";
import { rejectsWith, throwsWith } from "../support/errors.ts";

function pair(bits = 2048): { readonly publicKey: string; readonly privateKey: string } {
  return generateKeyPairSync("rsa", {
    modulusLength: bits,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}

const mine = pair();
const other = pair();
const names = { keyNamespace: "hsm", keyName: "rsa-1" };
const encryptionContext = { id: "42" };
const PADDINGS: readonly (readonly [RsaPadding, string])[] = [
  ["OAEP_SHA1_MGF1", "sha1"],
  ["OAEP_SHA256_MGF1", "sha256"],
  ["OAEP_SHA384_MGF1", "sha384"],
  ["OAEP_SHA512_MGF1", "sha512"],
];

keyringContract({
  name: "raw RSA",
  flipEvery: 5,
  setup: () => ({
    writer: rawRsaKeyring({ ...names, publicKey: mine.publicKey }),
    reader: rawRsaKeyring({ ...names, privateKey: mine.privateKey }),
    stranger: rawRsaKeyring({ ...names, ...other }),
  }),
});

describe("raw RSA keyring", () => {
  for (const [padding, oaepHash] of PADDINGS) {
    test(`${padding} is OAEP with ${oaepHash} and MGF1 of the same hash`, async () => {
      const keyring = rawRsaKeyring({ ...names, ...mine, padding });
      const { dataKey, keys } = await wrapped(keyring);
      const [key] = keys;
      assert.deepEqual([key?.providerId, Buffer.from(key?.providerInfo ?? []).toString()], ["hsm", "rsa-1"]);
      const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash };
      assert.deepEqual(privateDecrypt({ key: mine.privateKey, ...oaep }, key!.ciphertext), dataKey);
      const theirs = { ...key!, ciphertext: publicEncrypt({ key: mine.publicKey, ...oaep }, dataKey) };
      assert.deepEqual(
        (await keyring.onDecrypt(decryptionMaterials(dataKey), [theirs], { signal: undefined })).dataKey?.bytes,
        dataKey,
      );
      for (const [another] of PADDINGS.filter(([each]) => each !== padding)) {
        const reader = rawRsaKeyring({ ...names, ...mine, padding: another });
        await rejectsWith(
          reader.onDecrypt(decryptionMaterials(dataKey), keys, { signal: undefined }),
          "decryption-failed",
        );
      }
    });

    for (const bits of [2048, 3072]) {
      test(`messages cross with the AWS Encryption SDK for JavaScript: ${padding}, ${bits} bits`, async () => {
        const { publicKey, privateKey } = bits === 2048 ? mine : pair(bits);
        const ours = rawRsaKeyring({ ...names, publicKey, privateKey, padding });
        const rsaKey = { publicKey, privateKey };
        const theirs = new RawRsaKeyringNode({
          ...names,
          rsaKey,
          padding: constants.RSA_PKCS1_OAEP_PADDING,
          oaepHash: oaepHash as "sha1",
        });
        const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
        for (const context of [{}, encryptionContext]) {
          const plaintext = randomBytes(5000);
          const { message } = await encrypt(plaintext, { keyring: ours, encryptionContext: context });
          assert.deepEqual((await client.decrypt(theirs, message)).plaintext, plaintext);
          const { result } = await client.encrypt(theirs, plaintext, { encryptionContext: context });
          assert.deepEqual(
            Buffer.from((await decrypt(result, { keyring: ours, encryptionContext: context })).plaintext),
            plaintext,
          );
        }
      });
    }
  }

  test("key objects do as well as PEM text", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const keyring = rawRsaKeyring({ ...names, publicKey, privateKey });
    const { message } = await encrypt(randomBytes(10), { keyring, encryptionContext });
    await decrypt(message, { keyring, encryptionContext });
  });

  test("half a key pair does half the work", async () => {
    const writer = rawRsaKeyring({ ...names, publicKey: mine.publicKey });
    const reader = rawRsaKeyring({ ...names, privateKey: mine.privateKey });
    await rejectsWith(reader.onEncrypt(encryptionMaterials(), { signal: undefined }), "keyring-unsuitable");
    const { dataKey, keys } = await wrapped(writer);
    await rejectsWith(
      writer.onDecrypt(decryptionMaterials(dataKey), keys, { signal: undefined }),
      "keyring-unsuitable",
    );
  });

  test("another name or namespace is not its own", async () => {
    const { dataKey, keys } = await wrapped(rawRsaKeyring({ ...names, ...mine }));
    for (const changed of [{ keyName: "rsa-2" }, { keyNamespace: "vault" }]) {
      const reader = rawRsaKeyring({ ...names, ...mine, ...changed });
      const error = await rejectsWith(
        reader.onDecrypt(decryptionMaterials(dataKey), keys, { signal: undefined }),
        "no-matching-key",
      );
      assert.deepEqual(error.encryptedDataKeys, [
        { providerId: "hsm", key: "rsa-1", region: null, outcome: "not-configured" },
      ]);
    }
  });

  test("PKCS #1 v1.5 is refused, with the reason", () => {
    const error = throwsWith(
      () => rawRsaKeyring({ ...names, ...mine, padding: "PKCS1" as RsaPadding }),
      "option-invalid",
    );
    assert.match(error.message, /PKCS #1 v1\.5 is refused: .*Bleichenbacher.*OAEP/);
  });

  test("problems are listed all at once", () => {
    const elliptic = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const options = {
      keyNamespace: "aws-kms",
      keyName: "",
      padding: "OAEP_MD5" as RsaPadding,
      publicKey: elliptic.publicKey,
      privateKey: "no key",
    };
    const error = throwsWith(() => rawRsaKeyring(options), "option-invalid");
    for (const part of [
      "keyNamespace must not begin with aws-kms",
      "keyName must be",
      "padding must be one of",
      "publicKey must be",
      "privateKey must be",
    ]) {
      assert.ok(error.message.includes(part), `${part} is missing in: ${error.message}`);
    }
    assert.match(throwsWith(() => rawRsaKeyring(names), "option-invalid").message, /publicKey, privateKey or both/);
  });

  test("a private key is never taken for a public one, and short keys are refused", () => {
    const refused: readonly Partial<RawRsaKeyringOptions>[] = [
      { publicKey: mine.privateKey },
      { privateKey: mine.publicKey },
      { publicKey: pair(1024).publicKey },
      { privateKey: pair(1024).privateKey },
    ];
    for (const keys of refused) throwsWith(() => rawRsaKeyring({ ...names, ...keys }), "option-invalid");
    assert.equal(RAW_RSA_DEFAULTS.padding, "OAEP_SHA256_MGF1");
  });
});
