// The AWS Encryption SDK for JavaScript as it is meant to be used: a raw AES keyring behind the caching materials
// manager, so that a data key is made once and used for many messages. Shared by the contenders that differ in suite or
// frame length only.

import { randomBytes } from "node:crypto";
import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CommitmentPolicy,
  getLocalCryptographicMaterialsCache,
  NodeCachingMaterialsManager,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from "@aws-crypto/client-node";

import { work, type Task, type Work } from "../harness/contender.ts";
import type { Flow } from "../harness/flow.ts";
import { assertPayload, inTurn, payloadOf, several } from "../harness/payload.ts";

const { encrypt, encryptStream, decrypt, decryptUnsignedMessageStream } = buildClient(
  CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
);

const SUITES = {
  committing: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
  /** The SDK's default. */
  signed: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384,
} as const;

export interface AwsUse {
  readonly suite: keyof typeof SUITES;
  /** The row's frames, or the SDK's default of 4,096 bytes. */
  readonly frames: "as-the-row-says" | "default";
}

function materialsManager(): NodeCachingMaterialsManager {
  const keyring = new RawAesKeyringNode({
    keyNamespace: "bench",
    keyName: "bench",
    unencryptedMasterKey: randomBytes(32),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  });
  return new NodeCachingMaterialsManager({
    backingMaterials: keyring,
    cache: getLocalCryptographicMaterialsCache(100),
    maxAge: 3_600_000,
  });
}

function optionsOf(task: Task, use: AwsUse) {
  return {
    suiteId: SUITES[use.suite],
    encryptionContext: task.encryptionContext,
    ...(use.frames === "default" ? {} : { frameLength: task.frameLength }),
  };
}

/** Encrypts the payload once per run. */
export const sealing =
  (use: AwsUse) =>
  (task: Task): Work => {
    const manager = materialsManager();
    const payload = payloadOf(task.payloadBytes);
    const options = optionsOf(task, use);
    return work({
      run: async () => (await encrypt(manager, payload, options)).result,
      verify: async (message: Buffer) => {
        assertPayload((await decrypt(manager, message)).plaintext, payload);
      },
    });
  };

/** Decrypts one of several messages per run. */
export const opening =
  (use: AwsUse, messages: "different" | "the-same") =>
  async (task: Task): Promise<Work> => {
    const manager = materialsManager();
    const payload = payloadOf(task.payloadBytes);
    const options = optionsOf(task, use);
    const count = messages === "different" ? task.distinctMessages : 1;
    const next = inTurn(await several(count, async () => (await encrypt(manager, payload, options)).result));
    return work({
      run: async () => (await decrypt(manager, next())).plaintext,
      verify: (plaintext: Buffer) => {
        assertPayload(plaintext, payload);
      },
    });
  };

export function flow(task: Task, use: AwsUse): Flow {
  const manager = materialsManager();
  return {
    seal: () => [encryptStream(manager, optionsOf(task, use))],
    open: () => [decryptUnsignedMessageStream(manager)],
  };
}
