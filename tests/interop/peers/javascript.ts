// The AWS Encryption SDK for JavaScript, in this process.

import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CommitmentPolicy,
  KMS,
  KmsKeyringNode,
  type KeyringNode,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
  RawRsaKeyringNode,
  type KmsNodeClientSupplier,
} from "@aws-crypto/client-node";

import type { KeySpec, Peer, Suite } from "../peer.ts";

const AES_WRAPPING: Readonly<Record<number, WrappingSuite>> = {
  16: RawAesWrappingSuiteIdentifier.AES128_GCM_IV12_TAG16_NO_PADDING,
  24: RawAesWrappingSuiteIdentifier.AES192_GCM_IV12_TAG16_NO_PADDING,
  32: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
};

type WrappingSuite = ConstructorParameters<typeof RawAesKeyringNode>[0]["wrappingSuite"];

// An enum of numbers: its names are values too.
const SUITE_IDS = Object.values(AlgorithmSuiteIdentifier).filter(
  (value): value is AlgorithmSuiteIdentifier => typeof value === "number",
);

const COMMITTING = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const NOT_COMMITTING = buildClient(CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT);

function keyringFor(spec: KeySpec): KeyringNode {
  switch (spec.kind) {
    case "raw-aes": {
      const key = Buffer.from(spec.key, "base64");
      const wrappingSuite = AES_WRAPPING[key.length];
      if (wrappingSuite === undefined) throw new RangeError(`no wrapping suite for ${key.length} bytes`);
      return new RawAesKeyringNode({
        keyNamespace: spec.namespace,
        keyName: spec.name,
        // The keyring wants memory that is its own.
        unencryptedMasterKey: new Uint8Array(key),
        wrappingSuite,
        // Its default sorts the context by locale, which no other SDK can read.
        utf8Sorting: true,
      });
    }
    case "raw-rsa":
      return new RawRsaKeyringNode({
        keyNamespace: spec.namespace,
        keyName: spec.name,
        rsaKey: { publicKey: spec.publicKey, privateKey: spec.privateKey },
        oaepHash: spec.hash,
      });
    case "kms": {
      const { accessKeyId, secretAccessKey } = spec;
      const [generator, ...others] = spec.keys;
      if (generator === undefined) throw new RangeError("a KMS keyring needs a key");
      const clients = new Map(
        spec.keys.map(({ region, endpoint }) => [
          region,
          new KMS({ region, endpoint, credentials: { accessKeyId, secretAccessKey } }),
        ]),
      );
      // AWS's packages disagree in their types only: about optional properties, and whether this class is a
      // KeyringNode.
      const clientProvider = ((region: string) => clients.get(region) ?? false) as unknown as KmsNodeClientSupplier;
      const keyring: unknown = new KmsKeyringNode({
        generatorKeyId: generator.keyArn,
        keyIds: others.map(({ keyArn }) => keyArn),
        clientProvider,
      });
      return keyring as KeyringNode;
    }
  }
}

function installedVersion(packageName: string): string {
  const path = findPackageJSON(packageName, import.meta.url);
  if (path === undefined) throw new Error(`${packageName} is not installed`);
  return (JSON.parse(readFileSync(path, "utf8")) as { readonly version: string }).version;
}

function suiteIdOf({ id }: Suite): AlgorithmSuiteIdentifier {
  const found = SUITE_IDS.find((value) => value.valueOf() === id);
  if (found === undefined) throw new RangeError(`no suite ${id}`);
  return found;
}

export function javascriptPeer(): Peer {
  const keyrings = new Map<KeySpec, KeyringNode>();
  const keyringOf = (spec: KeySpec): KeyringNode => {
    const keyring = keyrings.get(spec) ?? keyringFor(spec);
    keyrings.set(spec, keyring);
    return keyring;
  };
  return {
    id: "javascript",
    title: `JavaScript SDK ${installedVersion("@aws-crypto/client-node")}`,
    cannotWrite: ({ frameLength }) => (frameLength === 0 ? "writes framed messages only" : null),
    cannotRead: () => null,
    async encrypt({ suite, frameLength, plaintext, context, keys }) {
      const client = suite.committing ? COMMITTING : NOT_COMMITTING;
      const { result } = await client.encrypt(keyringOf(keys.spec), plaintext, {
        suiteId: suiteIdOf(suite),
        frameLength,
        encryptionContext: context.pairs,
      });
      return result;
    },
    async decrypt(message, { suite, keys }) {
      const client = suite.committing ? COMMITTING : NOT_COMMITTING;
      const { plaintext, messageHeader } = await client.decrypt(keyringOf(keys.spec), message);
      return { plaintext, context: messageHeader.encryptionContext };
    },
    close: async () => undefined,
  };
}
