// @strongroom/envelope from the sources beside this folder: a raw AES keyring, a data key that is kept for many messages. Shared by the contenders
// that differ in how they use it.

import { randomBytes } from "node:crypto";
import { createDecryptStream, createEncryptStream, decrypt, encrypt, rawAesKeyring, type CommittingSuiteName, type KeySource } from "@strongroom/envelope";

import { work, type Task, type Work } from "../harness/contender.ts";
import type { Flow } from "../harness/flow.ts";
import { assertPayload, inTurn, payloadOf, several } from "../harness/payload.ts";

const SUITES = {
  committing: "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
  signed: "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384",
} as const satisfies Readonly<Record<string, CommittingSuiteName>>;

export type SuiteUse = keyof typeof SUITES;

function keySource(): KeySource {
  return { keyring: rawAesKeyring({ keyNamespace: "bench", keyName: "bench", wrappingKey: randomBytes(32) }) };
}

function optionsOf(task: Task, suite: SuiteUse, source: KeySource) {
  return { ...source, suite: SUITES[suite], frameLength: task.frameLength, encryptionContext: task.encryptionContext };
}

/** Encrypts the payload once per run. */
export const sealing = (suite: SuiteUse) => (task: Task): Work => {
  const options = optionsOf(task, suite, keySource());
  const payload = payloadOf(task.payloadBytes);
  return work({
    run: async () => (await encrypt(payload, options)).message,
    verify: async (message: Uint8Array) => { assertPayload((await decrypt(message, options)).plaintext, payload); },
  });
};

/** Decrypts one of several messages per run. */
export const opening = (suite: SuiteUse, messages: "different" | "the-same") => async (task: Task): Promise<Work> => {
  const options = optionsOf(task, suite, keySource());
  const payload = payloadOf(task.payloadBytes);
  const count = messages === "different" ? task.distinctMessages : 1;
  const next = inTurn(await several(count, async () => (await encrypt(payload, options)).message));
  return work({
    run: async () => (await decrypt(next(), options)).plaintext,
    verify: (plaintext: Uint8Array) => { assertPayload(plaintext, payload); },
  });
};

/** Node streams in both directions. */
export function flow(task: Task): Flow {
  const options = optionsOf(task, "committing", keySource());
  return { seal: () => [createEncryptStream(options)], open: () => [createDecryptStream(options)] };
}
