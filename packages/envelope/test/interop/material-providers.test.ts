/**
 * Messages that the AWS Cryptographic Material Providers Library for Python (1.11.3) wrote with the keyrings that the
 * JavaScript SDK does not have, under keys made for this file and used nowhere else.
 */
import assert from "node:assert/strict";
import { constants, createPublicKey, privateDecrypt } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { decrypt } from "@strongroom/envelope";
import { SecretBytes } from "@strongroom/envelope/keyrings";
import type { Keyring } from "@strongroom/envelope";
import { kmsRsaKeyring } from "@strongroom/envelope/aws-kms-rsa";
import { hierarchicalKeyring } from "@strongroom/envelope/hierarchical";
import { rawEcdhKeyring } from "@strongroom/envelope/raw-ecdh";
import type { EcdhCurve } from "@strongroom/envelope/raw-ecdh";

interface Written {
  readonly encryptionContext: Readonly<Record<string, string>>;
  readonly plaintext: string;
  readonly hierarchy: { readonly id: string; readonly version: string; readonly key: string; readonly message: string };
  readonly kmsRsa: { readonly keyArn: string; readonly privateKey: string; readonly message: string };
  readonly ecdh: readonly {
    readonly curve: EcdhCurve;
    readonly senderPublicKey: string;
    readonly recipientPrivateKey: string;
    readonly static: string;
    readonly ephemeral: string;
  }[];
}

const written = JSON.parse(await readFile(new URL("material-providers.json", import.meta.url), "utf8")) as Written;

async function opens(message: string, keyring: Keyring): Promise<void> {
  const { plaintext } = await decrypt(Buffer.from(message, "base64"), {
    keyring,
    encryptionContext: written.encryptionContext,
  });
  assert.equal(Buffer.from(plaintext).toString(), written.plaintext);
}

describe("messages of the Material Providers Library", () => {
  test("hierarchical", async () => {
    const { id, version, key, message } = written.hierarchy;
    const asked: string[] = [];
    using keyring = hierarchicalKeyring({
      branchKeyId: id,
      maxAgeMs: 1_000,
      keyStore: {
        getActiveBranchKey: async () => null,
        getBranchKeyVersion: async (...request) => (
          asked.push(...request),
          { version, key: SecretBytes.copyOf(Buffer.from(key, "hex")) }
        ),
      },
    });
    await opens(message, keyring);
    assert.deepEqual(asked, [id, version]);
  });

  for (const { curve, senderPublicKey, recipientPrivateKey, static: fixed, ephemeral } of written.ecdh) {
    test(`raw ECDH, ${curve}`, async () => {
      const discovery = rawEcdhKeyring({ curve, schema: { kind: "PublicKeyDiscovery", recipientPrivateKey } });
      await opens(fixed, discovery);
      await opens(ephemeral, discovery);
      const senderKey = createPublicKey({ key: Buffer.from(senderPublicKey, "hex"), format: "der", type: "spki" });
      await opens(
        fixed,
        rawEcdhKeyring({
          curve,
          schema: {
            kind: "RawPrivateKeyToStaticPublicKey",
            senderPrivateKey: recipientPrivateKey,
            recipientPublicKey: senderKey,
          },
        }),
      );
    });
  }

  test("AWS KMS RSA", async () => {
    const { keyArn, privateKey, message } = written.kmsRsa;
    const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
    const decryptHere = async ({
      CiphertextBlob,
    }: {
      CiphertextBlob: Uint8Array;
    }): Promise<{ KeyId: string; Plaintext: Uint8Array }> => ({
      KeyId: keyArn,
      Plaintext: privateDecrypt({ key: privateKey, ...oaep }, CiphertextBlob),
    });
    await opens(message, kmsRsaKeyring({ keyArn, client: { decrypt: decryptHere } }));
  });
});
