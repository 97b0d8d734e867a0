// @strongroom/envelope from the sources beside this folder: a raw AES keyring behind the materials cache, so that a
// data key is made once and used for many messages. Shared by the contenders
// that differ in how they use it.

import { randomBytes } from "node:crypto";
import {
  cachingMaterials,
  createDecryptStream,
  createEncryptStream,
  decrypt,
  encrypt,
  rawAesKeyring,
} from "@strongroom/envelope";
import type { CommittingSuiteName } from "@strongroom/envelope/format";
import type { KeySource } from "@strongroom/envelope/materials";
import { framingWorkers } from "@strongroom/envelope/workers";

import { work, type Task, type Work } from "../harness/contender.ts";
import type { Flow } from "../harness/flow.ts";
import { assertPayload, inTurn, payloadOf, several } from "../harness/payload.ts";

const SUITES = {
  committing: "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
  signed: "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384",
} as const satisfies Readonly<Record<string, CommittingSuiteName>>;

export type SuiteUse = keyof typeof SUITES;

/** The same bounds as the AWS SDK's contender has: an hour, and as many messages as the format allows. */
const CACHE_BOUNDS = { maxAgeMs: 3_600_000, maxMessages: 2 ** 32 } as const;
const PACKED_RECORDS = 256;
/** Enough for every message of a reading row. */
const HOT_MESSAGES = 1_024;

/** `data-keys` are cached, or also the derived keys of messages that were read (`hot-messages`). */
export type CacheUse = "data-keys" | "hot-messages";

function keySource(cache: CacheUse): KeySource {
  const keyring = rawAesKeyring({ keyNamespace: "bench", keyName: "bench", wrappingKey: randomBytes(32) });
  return {
    materials: cachingMaterials({ keyring, ...CACHE_BOUNDS, hotMessages: cache === "hot-messages" ? HOT_MESSAGES : 0 }),
  };
}

/** Frames of large messages on two threads, or all on the calling thread. */
export type Threads = "two-workers" | "calling-thread";

const withThreads = (threads: Threads) => {
  if (threads === "calling-thread") return { options: {}, close: async () => undefined };
  const workers = framingWorkers({ threads: 2 });
  return { options: { workers }, close: () => workers.close() };
};

/** Bytes that other threads can read where they are. */
function inSharedMemory(bytes: Buffer): Buffer {
  const shared = Buffer.from(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

/** One large message in shared memory, encrypted or decrypted on so many threads. */
export const inParallel =
  (direction: "encrypt" | "decrypt", threads: Threads) =>
  async (task: Task): Promise<Work> => {
    const parallel = withThreads(threads);
    const options = { ...optionsOf(task, "committing", keySource("data-keys")), ...parallel.options };
    const payload = inSharedMemory(payloadOf(task.payloadBytes));
    const common = { unitsPerRun: task.payloadBytes, close: parallel.close };
    if (direction === "encrypt") {
      return work({
        ...common,
        run: async () => (await encrypt(payload, options)).message,
        verify: async (message: Uint8Array) => {
          assertPayload((await decrypt(message, readingOf(options))).plaintext, payload);
        },
      });
    }
    const { message } = await encrypt(payload, options);
    const reading = readingOf(options);
    return work({
      ...common,
      run: async () => (await decrypt(message, reading)).plaintext,
      verify: (plaintext: Uint8Array) => {
        assertPayload(plaintext, payload);
      },
    });
  };

/** Of each kind of options that there are. */
type Reading<Options> = Options extends unknown ? Omit<Options, "suite" | "frameLength"> : never;

/** The options of a reader: which suite and which frames is the message's to say. */
function readingOf<Options extends { suite: unknown; frameLength: unknown }>(options: Options): Reading<Options> {
  const reading = Object.entries(options).filter(([name]) => name !== "suite" && name !== "frameLength");
  return Object.fromEntries(reading) as unknown as Reading<Options>;
}

function optionsOf(task: Task, suite: SuiteUse, source: KeySource) {
  return { ...source, suite: SUITES[suite], frameLength: task.frameLength, encryptionContext: task.encryptionContext };
}

/** Encrypts the payload once per run. */
export const sealing =
  (suite: SuiteUse) =>
  (task: Task): Work => {
    const options = optionsOf(task, suite, keySource("data-keys"));
    const payload = payloadOf(task.payloadBytes);
    return work({
      run: async () => (await encrypt(payload, options)).message,
      verify: async (message: Uint8Array) => {
        assertPayload((await decrypt(message, readingOf(options))).plaintext, payload);
      },
    });
  };

/** As many records in one message as `PACKED_RECORDS` says, each in a frame of its own. */
export const packing =
  (suite: SuiteUse) =>
  (task: Task): Work => ({
    ...sealing(suite)({ ...task, payloadBytes: task.payloadBytes * PACKED_RECORDS, frameLength: task.payloadBytes }),
    unitsPerRun: PACKED_RECORDS,
  });

/** Decrypts one of several messages per run. */
export const opening =
  (suite: SuiteUse, messages: "different" | "the-same", cache: CacheUse = "data-keys") =>
  async (task: Task): Promise<Work> => {
    const options = optionsOf(task, suite, keySource(cache));
    const payload = payloadOf(task.payloadBytes);
    const count = messages === "different" ? task.distinctMessages : 1;
    const reading = readingOf(options);
    const next = inTurn(await several(count, async () => (await encrypt(payload, options)).message));
    return work({
      run: async () => (await decrypt(next(), reading)).plaintext,
      verify: (plaintext: Uint8Array) => {
        assertPayload(plaintext, payload);
      },
    });
  };

/** Node streams in both directions. */
export function flow(task: Task): Flow {
  const options = optionsOf(task, "committing", keySource("data-keys"));
  return { seal: () => [createEncryptStream(options)], open: () => [createDecryptStream(readingOf(options))] };
}
