import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Readable, Writable } from "node:stream";
import type { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { buffer } from "node:stream/consumers";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  createDecryptStream,
  createEncryptStream,
  decrypt,
  decryptStream,
  encrypt,
  encryptStream,
  rawAesKeyring,
} from "@strongroom/envelope";
import { ALGORITHM_SUITES } from "@strongroom/envelope/format";
import type { DecryptStreamOptions, EncryptStreamOptions } from "@strongroom/envelope";
import type { AlgorithmSuiteName } from "@strongroom/envelope/format";
import { rejectsWith, throwsWith } from "../support/errors.ts";

const keyring = rawAesKeyring({ keyNamespace: "test", keyName: "key-1", wrappingKey: randomBytes(32) });
const encryptionContext = { file: "report.pdf" };
const common = { keyring, encryptionContext } as const;
const SUITES = Object.keys(ALGORITHM_SUITES) as AlgorithmSuiteName[];

function sealOptions(suite: AlgorithmSuiteName, frameLength: number): EncryptStreamOptions {
  const policy = ALGORITHM_SUITES[suite].committing ? {} : { commitmentPolicy: "forbid-encrypt-allow-decrypt" };
  return { ...common, suite, frameLength, ...policy } as EncryptStreamOptions;
}

const openOptions = { ...common, commitmentPolicy: "require-encrypt-allow-decrypt" } as const;

function* chunksOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

function sinkOf(take: (chunk: Buffer) => unknown): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      take(chunk);
      done();
    },
  });
}

type Through = (bytes: Iterable<Uint8Array>) => Promise<Buffer>;

/** The two kinds of stream, as one function each way. */
const KINDS: readonly {
  readonly kind: string;
  readonly seal: (options: EncryptStreamOptions) => Through;
  readonly open: (options: DecryptStreamOptions) => Through;
}[] = [
  {
    kind: "web",
    seal: (options) => async (bytes) => buffer(ReadableStream.from(bytes).pipeThrough(encryptStream(options))),
    open: (options) => async (bytes) => buffer(ReadableStream.from(bytes).pipeThrough(decryptStream(options))),
  },
  {
    kind: "node",
    seal: (options) => (bytes) => through(createEncryptStream(options), bytes),
    open: (options) => (bytes) => through(createDecryptStream(options), bytes),
  },
];

async function through(transform: Transform, bytes: Iterable<Uint8Array>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  await pipeline(Readable.from(bytes, { objectMode: false }), transform, async (source: AsyncIterable<Buffer>) => {
    for await (const piece of source) pieces.push(piece);
  });
  return Buffer.concat(pieces);
}

for (const { kind, seal, open } of KINDS) {
  describe(`${kind} streams`, () => {
    for (const suite of SUITES) {
      test(`${suite}: stream to stream, stream to buffer, buffer to stream`, async () => {
        for (const size of [0, 1, 31, 32, 33, 64, 200]) {
          const plaintext = randomBytes(size);
          for (const chunk of [1, 7, 32, 1000]) {
            const message = await seal(sealOptions(suite, 32))(chunksOf(plaintext, chunk));
            assert.deepEqual(Buffer.from((await decrypt(message, openOptions)).plaintext), plaintext);
            assert.deepEqual(await open(openOptions)(chunksOf(message, chunk)), plaintext);
          }
        }
      });
    }

    test("any chunking of input gives the same plaintext", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.uint8Array({ maxLength: 90 }), { maxLength: 12 }),
          fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }),
          fc.integer({ min: 1, max: 70 }),
          async (input, sizes, frameLength) => {
            const message = await seal({ ...common, frameLength })(input);
            function* pieces(): Generator<Uint8Array> {
              for (let offset = 0, index = 0; offset < message.length; index++) {
                const size = sizes[index % sizes.length]!;
                yield message.subarray(offset, offset + size);
                offset += size;
              }
            }
            assert.deepEqual(await open(openOptions)(pieces()), Buffer.concat(input));
          },
        ),
        { numRuns: 60 },
      );
    });

    test("a chunk may be reused by its owner once it is written", async () => {
      const plaintext = randomBytes(1000);
      function* reused(): Generator<Uint8Array> {
        for (const chunk of chunksOf(plaintext, 10)) yield Uint8Array.from(chunk);
      }
      const sealing = createEncryptStream({ ...common, frameLength: 64 });
      const sealed = buffer(sealing);
      const memory = Buffer.alloc(10);
      for (const chunk of reused()) {
        memory.set(chunk);
        await new Promise<void>((resolve, reject) => {
          sealing.write(memory, (error) => {
            if (error) reject(error);
            else resolve();
          });
        });
        memory.fill(0xff);
      }
      sealing.end();
      assert.deepEqual(Buffer.from((await decrypt(await sealed, openOptions)).plaintext), plaintext);
    });

    test("refusals carry their code through the stream", async () => {
      const { message } = await encrypt(randomBytes(100), { ...common, frameLength: 32 });
      const flipped = Buffer.from(message);
      flipped[flipped.length - 1]! ^= 1;
      await rejectsWith(open(openOptions)([message.subarray(0, -1)]), "message-truncated");
      await rejectsWith(open(openOptions)([]), "message-truncated");
      await rejectsWith(open(openOptions)([message, Buffer.of(0)]), "message-trailing-bytes");
      await rejectsWith(open(openOptions)([Buffer.concat([message, Buffer.of(0)])]), "message-trailing-bytes");
      await rejectsWith(open(openOptions)([flipped]), "decryption-failed");
      await rejectsWith(open({ ...openOptions, encryptionContext: {} })([message]), "context-mismatch");
      await rejectsWith(open({ ...openOptions, limits: { plaintextBytes: 99 } })([message]), "limit-exceeded");
      await rejectsWith(seal({ ...common, plaintextLengthBound: 9 })([randomBytes(10)]), "limit-exceeded");
    });

    test("frames come out as each authenticates; nothing of a broken one", async () => {
      const plaintext = randomBytes(100);
      const { message } = await encrypt(plaintext, { ...common, frameLength: 32 });
      const flipped = Buffer.from(message);
      flipped[flipped.length - 20]! ^= 1;
      const pieces: Uint8Array[] = [];
      const sink = sinkOf((chunk) => pieces.push(chunk));
      await rejectsWith(pipeline(chunksOf(flipped, 16), createDecryptStream(openOptions), sink), "decryption-failed");
      assert.deepEqual(Buffer.concat(pieces), plaintext.subarray(0, 96));
    });
  });
}

describe("signed messages in a decrypt stream", async () => {
  const suite = "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384";
  const plaintext = randomBytes(100);
  const { message } = await encrypt(plaintext, { ...common, suite, frameLength: 32 });

  async function released(
    bytes: Uint8Array,
    options: Partial<DecryptStreamOptions>,
  ): Promise<{ readonly length: number; readonly code: string | null }> {
    let length = 0;
    const sink = sinkOf((chunk) => (length += chunk.length));
    try {
      await pipeline(
        chunksOf(bytes, 1),
        createDecryptStream({ ...openOptions, ...options } as DecryptStreamOptions),
        sink,
      );
      return { length, code: null };
    } catch (error) {
      return { length, code: (error as { code: string }).code };
    }
  }
  const badSignature = Buffer.from(message);
  badSignature[badSignature.length - 5]! ^= 1;

  test("nothing comes out before the signature holds", async () => {
    assert.deepEqual(await released(message, {}), { length: 100, code: null });
    assert.deepEqual(await released(badSignature, {}), { length: 0, code: "decryption-failed" });
    assert.deepEqual(await released(message.subarray(0, -1), {}), { length: 0, code: "message-truncated" });
  });

  test("what is held back is bounded", async () => {
    assert.deepEqual(await released(message, { limits: { heldBackBytes: 99 } }), { length: 0, code: "limit-exceeded" });
  });

  test("refuse stops after the header", async () => {
    assert.deepEqual(await released(message, { signedMessages: "refuse" }), { length: 0, code: "suite-unsupported" });
  });

  test("the loudly named choice releases all but the last frame early", async () => {
    const signedMessages = "release-plaintext-before-its-signature-is-verified";
    assert.deepEqual(await released(message, { signedMessages }), { length: 100, code: null });
    assert.deepEqual(await released(badSignature, { signedMessages }), { length: 96, code: "decryption-failed" });
    throwsWith(() => createDecryptStream({ ...openOptions, signedMessages: "yes" as never }), "option-invalid");
  });
});

describe("aborting and back-pressure", () => {
  const endless = function* (): Generator<Uint8Array> {
    for (;;) yield Buffer.alloc(1024);
  };

  test("an AbortSignal ends both kinds of stream", async () => {
    const aborted = (): EncryptStreamOptions => ({ ...common, signal: AbortSignal.timeout(20) });
    const slow = (): Writable => new Writable({ write: (_chunk, _encoding, done) => setTimeout(done, 1) });
    await rejectsWith(pipeline(Readable.from(endless()), createEncryptStream(aborted()), slow()), "aborted");
    const web = ReadableStream.from(endless()).pipeThrough(encryptStream(aborted()));
    await rejectsWith(web.pipeTo(Writable.toWeb(slow()) as WritableStream<Uint8Array>), "aborted");
    await rejectsWith(
      pipeline(Readable.from(endless()), createEncryptStream({ ...common, signal: AbortSignal.abort() }), slow()),
      "aborted",
    );
  });

  test("a stream that is closed early settles its result", async () => {
    const stream = createDecryptStream(openOptions);
    stream.destroy();
    await rejectsWith(stream.result, "aborted");
  });

  for (const kind of ["web", "node"] as const) {
    test(`${kind}: a reader that stops reading stops the writer`, async () => {
      let taken = 0;
      function* source(): Generator<Uint8Array> {
        for (;;) {
          taken += 65_536;
          yield Buffer.alloc(65_536);
        }
      }
      const options = { ...common, frameLength: 65_536 };
      const readable =
        kind === "web"
          ? ReadableStream.from(source()).pipeThrough(encryptStream(options))
          : Readable.toWeb(
              Readable.from(source(), { objectMode: false, highWaterMark: 65_536 }).pipe(createEncryptStream(options)),
            );
      const reader = (readable as ReadableStream<Uint8Array>).getReader();
      await reader.read();
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.ok(taken <= 40 * 65_536, `${taken} bytes were taken in although nobody reads`);
      await reader.cancel();
    });
  }

  test("the result says what was written", async () => {
    const stream = createEncryptStream(common);
    stream.end("hello");
    const message = await buffer(stream);
    const result = await stream.result;
    assert.deepEqual(result.encryptionContext, encryptionContext);
    assert.equal(result.encryptedDataKeys.length, 1);
    const opening = decryptStream(openOptions);
    const text = await buffer(ReadableStream.from([message]).pipeThrough(opening));
    assert.equal(text.toString(), "hello");
    assert.deepEqual(await opening.result, {
      encryptionContext,
      storedContext: encryptionContext,
      suite: "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
      signed: false,
      openedBy: { providerId: "test", key: "key-1", region: null },
    });
  });
});
