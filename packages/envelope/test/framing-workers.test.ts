import assert from "node:assert/strict";
import { createSecretKey, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { decrypt, encrypt, rawAesKeyring } from "@strongroom/envelope";
import { framingWorkers, PARALLEL_FROM_BYTES } from "@strongroom/envelope/workers";
import type { FrameWorkers } from "@strongroom/envelope/workers";
import { framingRuns } from "../src/framing-runs.ts";
import { rejectsWith, throwsWith } from "./support/errors.ts";

const keyring = rawAesKeyring({ keyNamespace: "test", keyName: "key-1", wrappingKey: randomBytes(32) });
const encryptionContext = { file: "large" };
const workers = framingWorkers({ threads: 2 });
after(() => workers.close());

const isShared = (bytes: Uint8Array): boolean => bytes.buffer instanceof SharedArrayBuffer;

describe("large buffers on worker threads", () => {
  for (const [what, extra] of [
    ["a multiple of the frames", 0],
    ["one byte more", 1],
    ["less than a frame more", 1000],
  ] as const) {
    test(`${what}: each way alone, and both`, async () => {
      const plaintext = randomBytes(PARALLEL_FROM_BYTES + extra);
      const common = { keyring, encryptionContext, frameLength: 65_536 };
      const alone = await encrypt(plaintext, common);
      const together = await encrypt(plaintext, { ...common, workers });
      assert.equal(together.message.length, alone.message.length);
      assert.deepEqual([isShared(alone.message), isShared(together.message)], [false, false]);
      for (const { message } of [alone, together]) {
        for (const options of [{}, { workers }]) {
          const opened = await decrypt(message, { keyring, encryptionContext, ...options });
          assert.ok(Buffer.from(opened.plaintext).equals(plaintext));
          assert.equal(isShared(opened.plaintext), false);
        }
      }
    });
  }

  test("shared memory is used where it lies, at any offset", async () => {
    const memory = new Uint8Array(new SharedArrayBuffer(PARALLEL_FROM_BYTES + 100)).subarray(77);
    memory.set(randomBytes(1000), 5000);
    const { message } = await encrypt(memory, { keyring, encryptionContext, workers });
    const opened = await decrypt(message, { keyring, encryptionContext });
    assert.ok(Buffer.from(opened.plaintext).equals(Buffer.from(memory)));
  });

  test("signed suites", async () => {
    const plaintext = randomBytes(PARALLEL_FROM_BYTES);
    const { message } = await encrypt(plaintext, {
      keyring,
      encryptionContext,
      workers,
      suite: "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384",
    });
    assert.ok(
      Buffer.from((await decrypt(message, { keyring, encryptionContext, workers })).plaintext).equals(plaintext),
    );
  });

  test("short buffers and single frames are not divided", async () => {
    const { message } = await encrypt(randomBytes(100_000), { keyring, encryptionContext, workers });
    assert.equal(isShared(message), false);
    const { message: one } = await encrypt(randomBytes(PARALLEL_FROM_BYTES), {
      keyring,
      encryptionContext,
      workers,
      frameLength: PARALLEL_FROM_BYTES,
    });
    assert.equal(isShared(one), false);
  });

  test("a changed byte in any run of frames, and in the last frame, is refused", async () => {
    const { message } = await encrypt(randomBytes(PARALLEL_FROM_BYTES + 10), {
      keyring,
      encryptionContext,
      workers,
      frameLength: 65_536,
    });
    for (const offset of [5000, 1_500_000, 3_900_000, message.length - 1]) {
      const changed = Buffer.from(message);
      changed[offset]! ^= 1;
      await rejectsWith(decrypt(changed, { keyring, encryptionContext, workers }), "decryption-failed");
    }
  });

  test("many at once share the threads", async () => {
    const plaintexts = Array.from({ length: 4 }, () => randomBytes(PARALLEL_FROM_BYTES + 5));
    const opened = await Promise.all(
      plaintexts.map(async (plaintext) => {
        const { message } = await encrypt(plaintext, { keyring, encryptionContext, workers, frameLength: 65_536 });
        return (await decrypt(message, { keyring, encryptionContext, workers })).plaintext;
      }),
    );
    for (const [index, plaintext] of plaintexts.entries()) assert.ok(Buffer.from(opened[index]!).equals(plaintext));
  });

  test("a run takes no more of the message to its thread than its own bytes", () => {
    const message = randomBytes(1_000_000);
    const frameKey = {
      cipher: "aes-256-gcm",
      key: createSecretKey(randomBytes(32)),
      messageId: message.subarray(3, 35),
    } as const;
    const run = {
      kind: "open",
      frameKey,
      frameLength: 65_536,
      frames: 10,
      input: message,
      inputOffset: 0,
      output: Buffer.alloc(10 * 65_536),
      outputOffset: 0,
    } as const;
    for (const { frameKey: sent } of framingRuns(run)) {
      assert.deepEqual(Buffer.from(sent.messageId), message.subarray(3, 35));
      assert.equal(sent.messageId.buffer.byteLength, 32);
    }
  });

  test("an aborted signal stops the work that is left", async () => {
    const controller = new AbortController();
    /** Gives up when a second run is about to be handed over. */
    class Abandoned extends Uint8Array {
      #runs = 0;
      override subarray(start?: number, end?: number): Uint8Array<ArrayBuffer> {
        if (++this.#runs === 2) controller.abort();
        return new Uint8Array(PARALLEL_FROM_BYTES).subarray(start, end);
      }
    }
    const abandoned: FrameWorkers = {
      takes: (plaintextLength, frameLength) => workers.takes(plaintextLength, frameLength),
      run: (work, signal) => workers.run({ ...work, input: new Abandoned(PARALLEL_FROM_BYTES) }, signal),
    };
    const options = { keyring, encryptionContext, workers: abandoned, signal: controller.signal };
    await rejectsWith(encrypt(new Uint8Array(PARALLEL_FROM_BYTES), options), "aborted");
  });

  test("closed threads and bad options", async () => {
    await using closed = framingWorkers({ threads: 1 });
    await closed.close();
    await rejectsWith(
      encrypt(randomBytes(PARALLEL_FROM_BYTES), { keyring, encryptionContext, workers: closed }),
      "worker-failed",
    );
    throwsWith(() => framingWorkers({ threads: 0 }), "option-invalid");
  });

  describe("in a bundle", () => {
    test("nothing that encrypt, decrypt or the streams import asks where it lies", async () => {
      const sources = new Map<string, string>();
      const open = [new URL("../src/index.ts", import.meta.url)];
      for (let file = open.pop(); file !== undefined; file = open.pop()) {
        if (sources.has(file.href)) continue;
        const source = stripTypeScriptTypes(await readFile(file, "utf8"));
        sources.set(file.href, source);
        for (const [, specifier = ""] of source.matchAll(/from "(\.[^"]+)"/g)) open.push(new URL(specifier, file));
      }
      assert.ok(sources.size > 10);
      const asking = [...sources].filter(([, source]) => /import\.meta|node:worker_threads/.test(source));
      assert.deepEqual(
        asking.map(([file]) => file),
        [],
      );
    });

    test("where no module knows its place, framingWorkers says what to do", async () => {
      const source = new URL("../src/framing-workers.ts", import.meta.url);
      // As esbuild writes it in the CommonJS format.
      const code = stripTypeScriptTypes(await readFile(source, "utf8"))
        .replaceAll("import.meta", "({})")
        .replaceAll(/from "(\.[^"]+)"/g, (_, specifier: string) => `from "${new URL(specifier, source).href}"`);
      const folder = await mkdtemp(join(tmpdir(), "envelope-bundle-"));
      const file = join(folder, "bundle.mjs");
      try {
        await writeFile(file, code);
        const bundled = (await import(pathToFileURL(file).href)) as { readonly framingWorkers: typeof framingWorkers };
        assert.match(
          throwsWith(() => bundled.framingWorkers(), "worker-failed").message,
          /mark that package as external/,
        );
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  });
});
