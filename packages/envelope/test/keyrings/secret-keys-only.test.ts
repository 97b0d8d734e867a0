/**
 * A keyring over public keys takes no wrap for its own where only those under secret keys are wanted: anybody could
 * have made it. Without that wish it opens them.
 */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import type { Keyring } from "@strongroom/envelope";
import { kmsEcdhKeyring } from "@strongroom/envelope/aws-kms-ecdh";
import { kmsRsaKeyring } from "@strongroom/envelope/aws-kms-rsa";
import { makeKey, unwrapKey } from "@strongroom/envelope/keyrings";
import { rawEcdhKeyring } from "@strongroom/envelope/raw-ecdh";
import { rawRsaKeyring } from "@strongroom/envelope/raw-rsa";
import { rejectsWith } from "../support/errors.ts";

const ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const pem = ec.privateKey.export({ format: "pem", type: "pkcs8" }) as string;
const der = ec.publicKey.export({ format: "der", type: "spki" });
const RAW = { keyNamespace: "recovery", keyName: "1", padding: "OAEP_SHA256_MGF1" } as const;

const asked: string[] = [];
const never = (): never => {
  asked.push("a key");
  throw new Error("asked");
};

/** Who plants, and who reads: with a KMS that is never asked where it must not be. */
const KEYRINGS: Readonly<Record<string, readonly [planter: Keyring, reader: Keyring, opens: boolean]>> = {
  "raw RSA": [rawRsaKeyring({ ...RAW, publicKey: rsa.publicKey }), rawRsaKeyring({ ...RAW, ...rsa }), true],
  "raw ECDH": [
    rawEcdhKeyring({
      curve: "ECC_NIST_P256",
      schema: { kind: "EphemeralPrivateKeyToStaticPublicKey", recipientPublicKey: der },
    }),
    rawEcdhKeyring({ curve: "ECC_NIST_P256", schema: { kind: "PublicKeyDiscovery", recipientPrivateKey: pem } }),
    true,
  ],
  "AWS KMS RSA": [
    kmsRsaKeyring({ keyArn: ARN, publicKey: rsa.publicKey }),
    kmsRsaKeyring({ keyArn: ARN, client: { decrypt: never } }),
    false,
  ],
  "AWS KMS ECDH": [
    rawEcdhKeyring({
      curve: "ECC_NIST_P256",
      schema: { kind: "EphemeralPrivateKeyToStaticPublicKey", recipientPublicKey: der },
    }),
    await kmsEcdhKeyring({
      curve: "ECC_NIST_P256",
      client: { deriveSharedSecret: never, getPublicKey: never },
      schema: { kind: "KmsPublicKeyDiscovery", recipientKeyArn: ARN, recipientPublicKey: der },
    }),
    false,
  ],
};

for (const [name, [planter, reader, opens]] of Object.entries(KEYRINGS))
  test(`${name} opens what anybody may have wrapped only where that is no matter`, async () => {
    const encryptionContext = { id: "42" };
    const { key, wraps } = await makeKey({ keyring: planter, encryptionContext });
    key.wipe();
    const options = { keyring: reader, encryptionContext, accepts: () => true };
    asked.length = 0;
    await rejectsWith(unwrapKey(wraps, { ...options, secretKeysOnly: true }), "no-matching-key");
    assert.deepEqual(asked, []);
    if (opens) (await unwrapKey(wraps, options)).key.wipe();
    else await rejectsWith(unwrapKey(wraps, options), "regions-unavailable");
    assert.equal(asked.length > 0, !opens);
  });
