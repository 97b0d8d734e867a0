import assert from "node:assert/strict";
import { createHmac, createPublicKey, diffieHellman, ECDH, generateKeyPairSync, createDecipheriv } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { describe, test } from "node:test";
import { decrypt, encrypt } from "@strongroom/envelope";
import { rawEcdhKeyring } from "@strongroom/envelope/raw-ecdh";
import type { EcdhCurve, RawEcdhKeyringOptions, RawEcdhSchema } from "@strongroom/envelope/raw-ecdh";
import { decryptionMaterials, encryptionMaterials, keyringContract, wrapped } from "../keyring-contract.ts";
import { rejectsWith, throwsWith } from "../support/errors.ts";

const CURVES = [
  { curve: "ECC_NIST_P256", name: "prime256v1", text: "p256", size: 32 },
  { curve: "ECC_NIST_P384", name: "secp384r1", text: "p384", size: 48 },
  { curve: "ECC_NIST_P521", name: "secp521r1", text: "p521", size: 66 },
] as const;
const CALL = { signal: undefined };
const encryptionContext = { id: "42" };

interface Pair {
  readonly object: KeyObject;
  readonly pem: string;
  readonly der: Buffer;
}

function pair(curve: EcdhCurve): Pair {
  const { name } = CURVES.find((each) => each.curve === curve)!;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: name });
  return {
    object: privateKey,
    pem: privateKey.export({ format: "pem", type: "pkcs8" }) as string,
    der: publicKey.export({ format: "der", type: "spki" }),
  };
}

for (const { curve } of CURVES) {
  const [alice, bob, eve] = [pair(curve), pair(curve), pair(curve)];
  const fixed = (mine: Pair, theirs: Pair): RawEcdhSchema => ({
    kind: "RawPrivateKeyToStaticPublicKey",
    senderPrivateKey: mine.pem,
    recipientPublicKey: theirs.der,
  });
  const discovery = (mine: Pair): RawEcdhSchema => ({ kind: "PublicKeyDiscovery", recipientPrivateKey: mine.pem });

  keyringContract({
    name: `raw ECDH, RawPrivateKeyToStaticPublicKey, ${curve}`,
    flipEvery: curve === "ECC_NIST_P256" ? 1 : 11,
    setup: () => ({
      writer: rawEcdhKeyring({ curve, schema: fixed(alice, bob) }),
      reader: rawEcdhKeyring({ curve, schema: fixed(bob, alice) }),
      stranger: rawEcdhKeyring({ curve, schema: fixed(bob, eve) }),
    }),
  });

  keyringContract({
    name: `raw ECDH, EphemeralPrivateKeyToStaticPublicKey to PublicKeyDiscovery, ${curve}`,
    flipEvery: 11,
    setup: () => ({
      writer: rawEcdhKeyring({
        curve,
        schema: { kind: "EphemeralPrivateKeyToStaticPublicKey", recipientPublicKey: bob.der },
      }),
      reader: rawEcdhKeyring({ curve, schema: discovery(bob) }),
      stranger: rawEcdhKeyring({ curve, schema: discovery(eve) }),
    }),
  });

  describe(`raw ECDH keyring, ${curve}`, () => {
    test("both sides, and discovery on the recipient's, read what either wrote to the other", async () => {
      const there = rawEcdhKeyring({ curve, schema: fixed(alice, bob) });
      const back = rawEcdhKeyring({ curve, schema: fixed(bob, alice) });
      for (const [writer, recipient] of [
        [there, bob],
        [back, alice],
      ] as const) {
        const { message } = await encrypt(Buffer.from("x"), { keyring: writer, encryptionContext });
        for (const reader of [there, back, rawEcdhKeyring({ curve, schema: discovery(recipient) })])
          await decrypt(message, { keyring: reader, encryptionContext });
      }
    });

    test("an encrypted data key is laid out as the specification says", async () => {
      const { name, text, size } = CURVES.find((each) => each.curve === curve)!;
      const { dataKey, keys } = await wrapped(rawEcdhKeyring({ curve, schema: fixed(alice, bob) }));
      const [key] = keys;
      assert.equal(key?.providerId, "raw-ecdh");
      const info = Buffer.from(key.providerInfo);
      assert.deepEqual(
        [info[0], info.readUInt32BE(1), info.readUInt32BE(6 + size), info.length],
        [1, size + 1, size + 1, 11 + 2 * size],
      );
      const [recipient, sender] = [info.subarray(5, 6 + size), info.subarray(10 + size)];
      assert.deepEqual(
        [recipient, sender],
        [bob, alice].map(({ der }) =>
          ECDH.convertKey(der.subarray(-2 * size - 1), name, undefined, undefined, "compressed"),
        ),
      );

      // Derived here once more with other means: SP 800-108 counter mode, HMAC-SHA384, 64 bytes.
      const secret = diffieHellman({
        privateKey: bob.object,
        publicKey: createPublicKey({ key: alice.der, format: "der", type: "spki" }),
      });
      const zero = Buffer.of(0);
      const context = encryptionMaterials().encryptionContext.bytes;
      const fixedInfo = Buffer.concat([
        Buffer.from("ecdh-key-derivation\0"),
        Buffer.from(text),
        zero,
        Buffer.from("HMAC_SHA384\0"),
        sender,
        recipient,
        zero,
        Buffer.of(1),
        zero,
        context,
      ]);
      const ciphertext = Buffer.from(key.ciphertext);
      const input = Buffer.concat([fixedInfo, zero, ciphertext.subarray(0, 32), Buffer.of(0, 0, 2, 0)]);
      const derived = Buffer.concat(
        [1, 2].map((counter) =>
          createHmac("sha384", secret)
            .update(Buffer.of(0, 0, 0, counter))
            .update(input)
            .digest(),
        ),
      ).subarray(0, 64);
      assert.deepEqual(ciphertext.subarray(32, 64), derived.subarray(0, 32));
      const opening = createDecipheriv("aes-256-gcm", derived.subarray(32), Buffer.alloc(12))
        .setAAD(fixedInfo)
        .setAuthTag(ciphertext.subarray(-16));
      assert.deepEqual(Buffer.concat([opening.update(ciphertext.subarray(64, -16)), opening.final()]), dataKey);
    });

    test("an encrypted data key of the KMS keyring is read as well", async () => {
      const { dataKey, keys } = await wrapped(rawEcdhKeyring({ curve, schema: fixed(alice, bob) }));
      const [key] = keys.map((each) => ({ ...each, providerId: "aws-kms-ecdh" }));
      const opened = await rawEcdhKeyring({ curve, schema: discovery(bob) }).onDecrypt(
        decryptionMaterials(dataKey),
        [key!],
        CALL,
      );
      assert.deepEqual(opened.dataKey?.bytes, dataKey);
    });

    test("an ephemeral key serves one message only", async () => {
      const keyring = rawEcdhKeyring({
        curve,
        schema: { kind: "EphemeralPrivateKeyToStaticPublicKey", recipientPublicKey: bob.der },
      });
      const infos = await Promise.all(
        [1, 2, 3].map(async () => Buffer.from((await wrapped(keyring)).keys[0]!.providerInfo).toString("hex")),
      );
      assert.equal(new Set(infos).size, 3);
    });

    test("a sender's key that is no point on the curve opens nothing", async () => {
      const { size } = CURVES.find((each) => each.curve === curve)!;
      const { dataKey, keys } = await wrapped(rawEcdhKeyring({ curve, schema: fixed(alice, bob) }));
      const reader = rawEcdhKeyring({ curve, schema: discovery(bob) });
      for (const point of [
        Buffer.alloc(size + 1),
        Buffer.alloc(size + 1, 0xff),
        Buffer.concat([Buffer.of(2), Buffer.alloc(size, 0xff)]),
      ]) {
        const providerInfo = Buffer.concat([Buffer.from(keys[0]!.providerInfo).subarray(0, 10 + size), point]);
        const error = await rejectsWith(
          reader.onDecrypt(decryptionMaterials(dataKey), [{ ...keys[0]!, providerInfo }], CALL),
          "decryption-failed",
        );
        assert.deepEqual(
          error.encryptedDataKeys?.map(({ outcome }) => outcome),
          ["does-not-open"],
        );
      }
    });
  });
}

describe("raw ECDH keyring", () => {
  const [alice, bob] = [pair("ECC_NIST_P256"), pair("ECC_NIST_P256")];
  const curve = "ECC_NIST_P256";

  test("schemas that cannot do a thing say so", async () => {
    const writer = rawEcdhKeyring({
      curve,
      schema: { kind: "EphemeralPrivateKeyToStaticPublicKey", recipientPublicKey: bob.der },
    });
    const reader = rawEcdhKeyring({ curve, schema: { kind: "PublicKeyDiscovery", recipientPrivateKey: bob.pem } });
    await rejectsWith(reader.onEncrypt(encryptionMaterials(), CALL), "keyring-unsuitable");
    const { dataKey, keys } = await wrapped(writer);
    await rejectsWith(writer.onDecrypt(decryptionMaterials(dataKey), keys, CALL), "keyring-unsuitable");
  });

  test("messages on another curve are not its own", async () => {
    const wide = pair("ECC_NIST_P384");
    const writer = rawEcdhKeyring({
      curve: "ECC_NIST_P384",
      schema: { kind: "EphemeralPrivateKeyToStaticPublicKey", recipientPublicKey: wide.der },
    });
    const reader = rawEcdhKeyring({ curve, schema: { kind: "PublicKeyDiscovery", recipientPrivateKey: bob.pem } });
    const { dataKey, keys } = await wrapped(writer);
    await rejectsWith(reader.onDecrypt(decryptionMaterials(dataKey), keys, CALL), "no-matching-key");
  });

  test("another key version is not read", async () => {
    const reader = rawEcdhKeyring({ curve, schema: { kind: "PublicKeyDiscovery", recipientPrivateKey: bob.pem } });
    const { dataKey, keys } = await wrapped(
      rawEcdhKeyring({ curve, schema: { kind: "EphemeralPrivateKeyToStaticPublicKey", recipientPublicKey: bob.der } }),
    );
    const providerInfo = Buffer.from(keys[0]!.providerInfo);
    providerInfo[0] = 2;
    await rejectsWith(
      reader.onDecrypt(decryptionMaterials(dataKey), [{ ...keys[0]!, providerInfo }], CALL),
      "no-matching-key",
    );
  });

  test("key objects do as well, and a public key with a compressed point is the same key", async () => {
    const point = ECDH.convertKey(bob.der.subarray(-65), "prime256v1", undefined, undefined, "compressed") as Buffer;
    const short = Buffer.concat([Buffer.from("3039301306072a8648ce3d020106082a8648ce3d030107032200", "hex"), point]);
    const writer = rawEcdhKeyring({
      curve,
      schema: { kind: "RawPrivateKeyToStaticPublicKey", senderPrivateKey: alice.object, recipientPublicKey: short },
    });
    const reader = rawEcdhKeyring({
      curve,
      schema: {
        kind: "RawPrivateKeyToStaticPublicKey",
        senderPrivateKey: bob.object,
        recipientPublicKey: createPublicKey(alice.object),
      },
    });
    const { message } = await encrypt(Buffer.from("x"), { keyring: writer, encryptionContext });
    await decrypt(message, { keyring: reader, encryptionContext });
  });

  test("keys of another kind, curve or form are refused, all at once", () => {
    const wide = pair("ECC_NIST_P384");
    const pemPublic = createPublicKey(bob.object).export({ format: "pem", type: "spki" }) as string;
    const infinity = Buffer.from("3019301306072a8648ce3d020106082a8648ce3d030107030200" + "00", "hex");
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
    for (const [senderPrivateKey, recipientPublicKey] of [
      [wide.pem, wide.der],
      [alice.der, alice.pem],
      [pemPublic, infinity],
      [rsa.privateKey, rsa.publicKey],
      [createPublicKey(alice.object), alice.object],
      ["", new Uint8Array(0)],
    ] as const) {
      const options = {
        curve,
        schema: { kind: "RawPrivateKeyToStaticPublicKey", senderPrivateKey, recipientPublicKey },
      } as RawEcdhKeyringOptions;
      const error = throwsWith(() => rawEcdhKeyring(options), "option-invalid");
      assert.match(error.message, /senderPrivateKey must be .*; schema\.recipientPublicKey must be/);
    }
    throwsWith(
      () =>
        rawEcdhKeyring({
          curve: "SM2" as EcdhCurve,
          schema: { kind: "PublicKeyDiscovery", recipientPrivateKey: bob.pem },
        }),
      "option-invalid",
    );
    throwsWith(
      () => rawEcdhKeyring({ curve, schema: { kind: "Static" } as unknown as RawEcdhSchema }),
      "option-invalid",
    );
  });
});
