import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { describe, test } from "node:test";
import {
  createDecryptStream,
  createEncryptStream,
  decrypt,
  decryptStream,
  encrypt,
  encryptStream,
  rawAesKeyring,
} from "@strongroom/envelope";
import type { DecryptStreamOptions, EncryptionContext, EncryptStreamOptions, Keyring } from "@strongroom/envelope";
import { FORMAT_LIMITS } from "../../src/format/suites.ts";
import { walkHeader } from "../../src/format/header-length.ts";
import { parseHeader } from "../../src/format/header.ts";
import { PieceList } from "../../src/streams/byte-transform.ts";
import { rejectsWith } from "../support/errors.ts";

const keyring = rawAesKeyring({ keyNamespace: "test", keyName: "key-1", wrappingKey: randomBytes(32) });
const encryptionContext = { file: "report.pdf" };
const common = { keyring, encryptionContext } as const;
const SIGNED = "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384";
/** More than fit on a stack as the arguments of one call. */
const MANY = 130_000;

function* chunksOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

type Through = (chunks: Iterable<Uint8Array>) => Promise<Buffer>;

const KINDS: readonly {
  readonly kind: string;
  readonly seal: (options: EncryptStreamOptions) => Through;
  readonly open: (options: DecryptStreamOptions) => Through;
}[] = [
  {
    kind: "web",
    seal: (options) => (chunks) => buffer(ReadableStream.from(chunks).pipeThrough(encryptStream(options))),
    open: (options) => (chunks) => buffer(ReadableStream.from(chunks).pipeThrough(decryptStream(options))),
  },
  {
    kind: "node",
    seal: (options) => (chunks) => through(createEncryptStream(options), chunks),
    open: (options) => (chunks) => through(createDecryptStream(options), chunks),
  },
];

async function through(transform: NodeJS.ReadWriteStream, chunks: Iterable<Uint8Array>): Promise<Buffer> {
  const [whole] = await Promise.all([buffer(transform), pipeline(Readable.from(chunks), transform)]);
  return whole;
}

for (const { kind, seal, open } of KINDS) {
  describe(`${kind} streams, of any number of parts`, () => {
    test("one frame in very many chunks", async () => {
      const plaintext = randomBytes(MANY);
      const { message } = await encrypt(plaintext, { ...common, frameLength: MANY });
      assert.deepEqual(await open(common)(chunksOf(message, 1)), plaintext);
    });

    test("very many frames, held back until their signature", async () => {
      const plaintext = randomBytes(MANY);
      const { message } = await encrypt(plaintext, { ...common, frameLength: 1, suite: SIGNED });
      assert.deepEqual(await open(common)([message]), plaintext);
    });

    test("many frames in one chunk, and out of one", async () => {
      const plaintext = randomBytes(10_000);
      const message = await seal({ ...common, frameLength: 1 })([plaintext]);
      assert.deepEqual(await open(common)([message]), plaintext);
    });

    test("plaintext byte by byte, header and footer too", async () => {
      const plaintext = randomBytes(10_000);
      for (const suite of [SIGNED, "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY"] as const) {
        const message = await seal({ ...common, frameLength: 4_096, suite })(chunksOf(plaintext, 1));
        assert.deepEqual(Buffer.from((await decrypt(message, common)).plaintext), plaintext);
        assert.deepEqual(await open(common)(chunksOf(message, 1)), plaintext);
      }
    });

    test("a frame in tiny chunks takes about as much memory as the frame", async () => {
      const length = 1024 * 1024;
      const { message } = await encrypt(randomBytes(length), { ...common, frameLength: length });
      let most = 0;
      let chunks = 0;
      function* watched(): Generator<Uint8Array> {
        for (const chunk of chunksOf(message, 32)) {
          if (++chunks % 1_024 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers);
          yield chunk;
        }
      }
      const before = process.memoryUsage().arrayBuffers;
      await open(common)(watched());
      assert.ok(most - before < 8 * length, `${most - before} bytes`);
    });
  });
}

/** A header of the longest context, and of many encrypted data keys. */
async function longHeader(): Promise<{ readonly message: Uint8Array; readonly context: EncryptionContext }> {
  const context = Object.fromEntries(Array.from({ length: 4_000 }, (_, index) => [`key-${index}`, "v"]));
  const many: Keyring = {
    onEncrypt: async (materials, call) => {
      const wrapped = await keyring.onEncrypt(materials, call);
      const [own] = wrapped.encryptedDataKeys;
      return { ...wrapped, encryptedDataKeys: Array.from({ length: 300 }, () => own!) };
    },
    onDecrypt: (materials, keys, call) => keyring.onDecrypt(materials, keys, call),
  };
  const limits = { contextBytes: 0xffff, encryptedDataKeys: 0xffff };
  const { message } = await encrypt(Buffer.from("short"), { keyring: many, encryptionContext: context, limits });
  return { message, context };
}

describe("a header in parts", async () => {
  const { message, context } = await longHeader();
  const whole = parseHeader(message, FORMAT_LIMITS);
  const limits = { contextBytes: 0xffff, encryptedDataKeys: 0xffff };

  test("its end is found by looking at each length once", () => {
    const walk = walkHeader(FORMAT_LIMITS);
    const steps: number[] = [];
    let step = walk.next();
    while (step.done !== true) {
      assert.ok(step.value >= (steps.at(-1) ?? 0));
      steps.push(step.value);
      step = walk.next(Buffer.from(message.subarray(0, step.value)));
    }
    assert.equal(step.value, whole.length);
    assert.equal(steps.length, 5 + 3 * 300);
  });

  for (const { kind, open } of KINDS) {
    test(`${kind}: byte by byte, it opens`, async () => {
      const plaintext = await open({ keyring, encryptionContext: context, limits })(chunksOf(message, 1));
      assert.equal(plaintext.toString(), "short");
    });

    test(`${kind}: refused as soon as its start shows it, whatever follows`, async () => {
      const short = (await encrypt(Buffer.from("short"), common)).message;
      function* then(start: readonly number[]): Generator<Uint8Array> {
        for (const byte of start) yield Uint8Array.of(byte);
        throw new Error("asked for more");
      }
      const start = [...short.subarray(0, 3)];
      await rejectsWith(open(common)(then([0x41, 0x59])), "message-malformed");
      await rejectsWith(open(common)(then([2, 0xff, 0xff])), "suite-unsupported");
      await rejectsWith(open(common)(then([...start, ...new Uint8Array(32), 0xff, 0xff])), "limit-exceeded");
      await rejectsWith(open(common)(then([...start, ...new Uint8Array(32), 0, 0, 0, 17])), "limit-exceeded");
      await rejectsWith(open(common)(then([...start, ...new Uint8Array(32), 0, 0, 0, 0])), "message-malformed");
    });
  }
});

describe("pieces on their way out", () => {
  test("small ones are joined, large ones stay, and their order too", () => {
    const list = new PieceList();
    const sizes = [1, 16_383, 16_384, 0, 5, 70_000, ...Array.from({ length: 3_000 }, () => 3)];
    const pieces = sizes.map((size) => randomBytes(size));
    const expected = Buffer.concat(pieces);
    for (const piece of pieces) list.add(piece);
    assert.equal(list.length, expected.length);
    const taken = list.take();
    assert.deepEqual(Buffer.concat(taken), expected);
    assert.deepEqual(taken.map(({ length }) => length).slice(0, 4), [16_384, 16_384, 5, 70_000]);
    assert.deepEqual([list.length, list.take()], [0, []]);
  });
});
