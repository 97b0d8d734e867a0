import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { hasOpenssl, openssl } from "../openssl.ts";
import { base64, behaviour } from "./behaviour.ts";

behaviour(
  25,
  "A DIGEST of the wrong length: Digest is invalid length for algorithm X.",
  ["Sign", "Verify"],
  async (b) => {
    for (const [KeySpec, SigningAlgorithm] of [
      ["RSA_2048", "RSASSA_PSS_SHA_384"],
      ["ECC_NIST_P256", "ECDSA_SHA_256"],
    ]) {
      const { KeyId } = await b.key({ KeySpec, KeyUsage: "SIGN_VERIFY" });
      const request = { KeyId, Message: base64(randomBytes(20)), MessageType: "DIGEST", SigningAlgorithm };
      const refusal = ["ValidationException", `Digest is invalid length for algorithm ${SigningAlgorithm!}.`];
      assert.deepEqual(await b.refused("Sign", request), refusal);
      assert.deepEqual(await b.refused("Verify", { ...request, Signature: base64("x") }), refusal);
    }
  },
);

behaviour(26, "A Verify that fails throws; it never answers false", ["Sign", "Verify"], async (b) => {
  const { KeyId, Arn } = await b.key({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
  const common = { KeyId, SigningAlgorithm: "ECDSA_SHA_256" };
  const { Signature } = await b.ok("Sign", { ...common, Message: base64("m") });
  assert.deepEqual(await b.ok("Verify", { ...common, Message: base64("m"), Signature }), {
    KeyId: Arn,
    SignatureValid: true,
    SigningAlgorithm: "ECDSA_SHA_256",
  });
  for (const wrong of [
    { Message: base64("n"), Signature },
    { Message: base64("m"), Signature: base64("x") },
    { Message: base64("m"), Signature: base64(randomBytes(71)) },
  ]) {
    assert.deepEqual(await b.refused("Verify", { ...common, ...wrong }), ["KMSInvalidSignatureException", undefined]);
  }
});

behaviour(
  27,
  "The salt of PSS is as long as the digest, and signatures verify with OpenSSL",
  ["Sign", "Verify", "GetPublicKey"],
  async (b, t) => {
    if (!hasOpenssl) {
      t.skip("needs the openssl command");
      return;
    }
    const { KeyId } = await b.key({ KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" });
    const ssl = await openssl(t);
    ssl.write("public.der", Buffer.from((await b.ok("GetPublicKey", { KeyId }))["PublicKey"], "base64"));
    const message = Buffer.from("signed here, verified there");
    ssl.write("message", message);
    for (const bits of [256, 384, 512]) {
      const digest = createHash(`sha${bits}`).update(message).digest();
      for (const [MessageType, Message] of [
        ["RAW", message],
        ["DIGEST", digest],
      ] as const) {
        const { Signature } = await b.ok("Sign", {
          KeyId,
          MessageType,
          Message: base64(Message),
          SigningAlgorithm: `RSASSA_PSS_SHA_${bits}`,
        });
        ssl.write("signature", Buffer.from(Signature, "base64"));
        const salt = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"];
        const verified = ssl.run(
          "dgst",
          `-sha${bits}`,
          ...salt,
          "-keyform",
          "DER",
          "-verify",
          "public.der",
          "-signature",
          "signature",
          "message",
        );
        assert.match(verified.toString(), /Verified OK/);
      }
    }
  },
);

behaviour(
  28,
  "Algorithm X is incompatible with key spec Y. (InvalidKeyUsageException)",
  ["Sign", "GenerateMac", "Encrypt", "VerifyMac"],
  async (b) => {
    const mac = await b.key({ KeySpec: "HMAC_224", KeyUsage: "GENERATE_VERIFY_MAC" });
    const signer = await b.key({ KeySpec: "ECC_NIST_P384", KeyUsage: "SIGN_VERIFY" });
    const Message = base64("m");
    assert.deepEqual(await b.refused("GenerateMac", { KeyId: mac["KeyId"], Message, MacAlgorithm: "HMAC_SHA_256" }), [
      "InvalidKeyUsageException",
      "Algorithm HMAC_SHA_256 is incompatible with key spec HMAC_224.",
    ]);
    assert.deepEqual(
      await b.refused("VerifyMac", { KeyId: mac["KeyId"], Message, Mac: Message, MacAlgorithm: "HMAC_SHA_512" }),
      ["InvalidKeyUsageException", "Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_224."],
    );
    assert.deepEqual(await b.refused("Sign", { KeyId: signer["KeyId"], Message, SigningAlgorithm: "ECDSA_SHA_256" }), [
      "InvalidKeyUsageException",
      "Algorithm ECDSA_SHA_256 is incompatible with key spec ECC_NIST_P384.",
    ]);
    assert.deepEqual(
      await b.refused("Encrypt", {
        KeyId: (await b.key())["KeyId"],
        Plaintext: Message,
        EncryptionAlgorithm: "RSAES_OAEP_SHA_1",
      }),
      ["InvalidKeyUsageException", "Algorithm RSAES_OAEP_SHA_1 is incompatible with key spec SYMMETRIC_DEFAULT."],
    );
  },
);

behaviour(
  29,
  "HMAC keys need an explicit KeyUsage; their metadata has MacAlgorithms",
  ["CreateKey", "GenerateMac", "VerifyMac"],
  async (b) => {
    assert.deepEqual(await b.refused("CreateKey", { KeySpec: "HMAC_256" }), [
      "ValidationException",
      "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
    ]);
    for (const bits of [224, 256, 384, 512]) {
      const { KeyId, Arn, MacAlgorithms } = await b.key({ KeySpec: `HMAC_${bits}`, KeyUsage: "GENERATE_VERIFY_MAC" });
      const MacAlgorithm = `HMAC_SHA_${bits}`;
      assert.deepEqual(MacAlgorithms, [MacAlgorithm]);
      const { Mac } = await b.ok("GenerateMac", { KeyId, Message: base64("m"), MacAlgorithm });
      assert.equal(Buffer.from(Mac, "base64").length, bits / 8);
      assert.deepEqual(await b.ok("VerifyMac", { KeyId, Message: base64("m"), MacAlgorithm, Mac }), {
        KeyId: Arn,
        MacValid: true,
        MacAlgorithm,
      });
      assert.deepEqual(await b.refused("VerifyMac", { KeyId, Message: base64("n"), MacAlgorithm, Mac }), [
        "KMSInvalidMacException",
        undefined,
      ]);
    }
  },
);

behaviour(
  30,
  "DeriveSharedSecret equals OpenSSL's; a bad public key is a ValidationException without a message",
  ["DeriveSharedSecret", "GetPublicKey"],
  async (b, t) => {
    for (const [KeySpec, curve] of [
      ["ECC_NIST_P256", "prime256v1"],
      ["ECC_NIST_P384", "secp384r1"],
      ["ECC_NIST_P521", "secp521r1"],
    ] as const) {
      const { KeyId, Arn, KeyAgreementAlgorithms } = await b.key({ KeySpec, KeyUsage: "KEY_AGREEMENT" });
      assert.deepEqual(KeyAgreementAlgorithms, ["ECDH"]);
      const peer = generateKeyPairSync("ec", {
        namedCurve: curve,
        privateKeyEncoding: { type: "pkcs8", format: "pem" },
        publicKeyEncoding: { type: "spki", format: "der" },
      });
      const request = { KeyId, KeyAgreementAlgorithm: "ECDH" };
      const derived = await b.ok("DeriveSharedSecret", { ...request, PublicKey: base64(peer.publicKey) });
      assert.equal(derived["KeyId"], Arn);
      assert.equal(derived["KeyOrigin"], "AWS_KMS");
      if (hasOpenssl) {
        const ssl = await openssl(t);
        ssl.write("peer.pem", peer.privateKey);
        ssl.write("kms.der", Buffer.from((await b.ok("GetPublicKey", { KeyId }))["PublicKey"], "base64"));
        const secret = ssl.run("pkeyutl", "-derive", "-inkey", "peer.pem", "-peerkey", "kms.der", "-peerform", "DER");
        assert.equal(derived["SharedSecret"], base64(secret));
      }
      const other = generateKeyPairSync("ec", {
        namedCurve: "secp256k1",
        privateKeyEncoding: { type: "pkcs8", format: "der" },
        publicKeyEncoding: { type: "spki", format: "der" },
      });
      for (const PublicKey of [base64("junk"), base64(other.publicKey)]) {
        assert.deepEqual(await b.refused("DeriveSharedSecret", { ...request, PublicKey }), [
          "ValidationException",
          undefined,
        ]);
      }
    }
  },
);
