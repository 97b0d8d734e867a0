import assert from "node:assert/strict";
import { Decipheriv, randomBytes } from "node:crypto";
import { getEventListeners } from "node:events";
import { PassThrough, Readable, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { after, before, describe, mock, test } from "node:test";
import {
  createDecryptStream,
  createEncryptStream,
  decryptStream,
  encrypt,
  encryptStream,
  rawAesKeyring,
} from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import { rejectsWith } from "../support/errors.ts";

const raw = rawAesKeyring({ keyNamespace: "test", keyName: "key-1", wrappingKey: randomBytes(32) });
/** Is never done, and does not listen. */
const deaf: Keyring = { onEncrypt: () => new Promise(() => undefined), onDecrypt: () => new Promise(() => undefined) };
/** Answers when whoever asked has long given up. */
const late: Keyring = {
  onEncrypt: (...asked) => settled().then(() => raw.onEncrypt(...asked)),
  onDecrypt: (...asked) => settled().then(() => raw.onDecrypt(...asked)),
};
const encryptionContext = { file: "report.pdf" };
const SIGNED = "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384";

/** Nothing else that is random has so many of this in a row. */
const MARK = 0xa7;
const plaintext = Buffer.alloc(300, MARK);
const marked = (bytes: Uint8Array): boolean => bytes.length > 0 && bytes.every((byte) => byte === MARK);

type Way = "encrypt" | "decrypt";
type Stage = "before the header" | "in the keyring" | "in the body" | "held back";

/** How far each stage gets: what is written, and whether by then something has come out. */
async function inputFor(way: Way, stage: Stage): Promise<Uint8Array> {
  if (stage === "before the header") return new Uint8Array();
  if (way === "encrypt") return plaintext;
  const { message } = await encrypt(plaintext, {
    keyring: raw,
    encryptionContext,
    frameLength: 64,
    ...(stage === "held back" ? { suite: SIGNED } : {}),
  });
  return stage === "held back" ? message.subarray(0, -20) : message.subarray(0, -100);
}

const CASES: readonly (readonly [Way, Stage])[] = [
  ["encrypt", "before the header"],
  ["encrypt", "in the keyring"],
  ["encrypt", "in the body"],
  ["decrypt", "before the header"],
  ["decrypt", "in the keyring"],
  ["decrypt", "in the body"],
  ["decrypt", "held back"],
];

interface Given {
  readonly way: Way;
  readonly options: {
    readonly keyring: Keyring;
    readonly encryptionContext: typeof encryptionContext;
    readonly signal: AbortSignal;
  };
  readonly input: Uint8Array;
  readonly controller: AbortController;
  /** What has come out. */
  readonly seen: Uint8Array[];
}

const reason = new Error("the caller's own");
/** Lets everything that is under way get as far as it can. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

type GiveUp = (given: Given) => Promise<{ readonly result: Promise<unknown> }>;

function webPair({ way, options }: Given): ReturnType<typeof encryptStream> | ReturnType<typeof decryptStream> {
  return way === "encrypt" ? encryptStream({ ...options, frameLength: 64 }) : decryptStream(options);
}

/** Writes the input, reads what comes, and hands both ends over. */
function webAtWork(given: Given): {
  readonly result: Promise<unknown>;
  readonly writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
} {
  const stream = webPair(given);
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  void (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      given.seen.push(value);
    }
  })().catch(() => undefined);
  if (given.input.length > 0) writer.write(given.input).catch(() => undefined);
  return { result: stream.result, writer, reader };
}

function nodeStream({ way, options }: Given): ReturnType<typeof createEncryptStream> {
  return (
    way === "encrypt" ? createEncryptStream({ ...options, frameLength: 64 }) : createDecryptStream(options)
  ) as never;
}

function nodeAtWork(given: Given): ReturnType<typeof createEncryptStream> {
  const stream = nodeStream(given);
  stream.on("error", () => undefined);
  stream.on("data", (piece: Uint8Array) => given.seen.push(piece));
  if (given.input.length > 0) stream.write(given.input);
  return stream;
}

async function* input(given: Pick<Given, "input">, end: () => unknown): AsyncGenerator<Uint8Array> {
  if (given.input.length > 0) yield given.input;
  await end();
}

const WAYS: Readonly<Record<string, GiveUp>> = {
  "web: readable.cancel()": async (given) => {
    const { result, reader } = webAtWork(given);
    await settled();
    await reader.cancel();
    return { result };
  },
  "web: readable.cancel(reason)": async (given) => {
    const { result, reader } = webAtWork(given);
    await settled();
    await reader.cancel(reason);
    return { result };
  },
  "web: writer.abort()": async (given) => {
    const { result, writer } = webAtWork(given);
    await settled();
    writer.abort().catch(() => undefined);
    return { result };
  },
  "web: the signal": async (given) => {
    const { result } = webAtWork(given);
    await settled();
    given.controller.abort();
    return { result };
  },
  "web: a signal aborted before": async (given) => {
    given.controller.abort();
    const { result } = webAtWork(given);
    return { result };
  },
  "web: the source errors": async (given) => {
    const stream = webPair(given);
    const source = ReadableStream.from(input(given, () => settled().then(() => Promise.reject(reason))));
    const sink = new WritableStream<Uint8Array>({ write: (piece) => void given.seen.push(piece) });
    source
      .pipeThrough(stream)
      .pipeTo(sink)
      .catch(() => undefined);
    await settled();
    return stream;
  },
  "web: the sink errors": async (given) => {
    const stream = webPair(given);
    let fail = (): void => undefined;
    const sink = new WritableStream<Uint8Array>({
      start(controller) {
        fail = () => {
          controller.error(reason);
        };
      },
      write: (piece) => void given.seen.push(piece),
    });
    ReadableStream.from(input(given, () => new Promise(() => undefined)))
      .pipeThrough(stream)
      .pipeTo(sink)
      .catch(() => undefined);
    await settled();
    fail();
    return stream;
  },
  "node: destroy()": async (given) => {
    const stream = nodeAtWork(given);
    await settled();
    stream.destroy();
    return stream;
  },
  "node: destroy(error)": async (given) => {
    const stream = nodeAtWork(given);
    await settled();
    stream.destroy(reason);
    return stream;
  },
  "node: the signal": async (given) => {
    const stream = nodeAtWork(given);
    await settled();
    given.controller.abort();
    return stream;
  },
  "node: a signal aborted before": async (given) => {
    given.controller.abort();
    return nodeAtWork(given);
  },
  "node: the source errors": async (given) => {
    const stream = nodeStream(given);
    const sink = new PassThrough().on("data", (piece: Uint8Array) => given.seen.push(piece));
    const source = Readable.from(input(given, () => settled().then(() => Promise.reject(reason))));
    pipeline(source, stream, sink).catch(() => undefined);
    await settled();
    return stream;
  },
  "node: the sink errors": async (given) => {
    const stream = nodeStream(given);
    const sink = new Writable({
      write: (piece: Uint8Array, _encoding, done) => {
        given.seen.push(piece);
        done();
      },
    });
    pipeline(Readable.from(input(given, () => new Promise(() => undefined))), stream, sink).catch(() => undefined);
    await settled();
    sink.destroy(reason);
    return stream;
  },
};

describe("a stream that is given up", () => {
  /** Memory that the library took, and where decrypted bytes lay. */
  let taken: Uint8Array[] = [];
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);

  before(() => {
    process.on("unhandledRejection", note);
    const allocUnsafeSlow = Buffer.allocUnsafeSlow.bind(Buffer);
    mock.method(Buffer, "allocUnsafeSlow", (length: number) => {
      const memory = allocUnsafeSlow(length);
      taken.push(memory);
      return memory;
    });
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its `this` below
    const { update } = Decipheriv.prototype;
    mock.method(Decipheriv.prototype, "update", function (this: unknown, ...given: Parameters<typeof update>) {
      const decrypted = update.call(this as never, ...given) as unknown as Buffer;
      taken.push(decrypted);
      return decrypted;
    });
  });
  after(() => {
    process.off("unhandledRejection", note);
    mock.restoreAll();
  });

  for (const [name, giveUp] of Object.entries(WAYS)) {
    for (const [way, stage] of CASES) {
      test(`${name}, ${way}, ${stage}`, async () => {
        const controller = new AbortController();
        const bytes = await inputFor(way, stage);
        taken = [];
        // Between pipes an error waits for the write under way (Streams Standard, ReadableStreamPipeTo, "shutdown").
        const waits = name === "web: the source errors" && stage === "in the keyring";
        const keyring = waits ? late : stage === "in the keyring" ? deaf : raw;
        const given: Given = {
          way,
          options: {
            keyring,
            encryptionContext,
            signal: controller.signal,
          },
          input: bytes,
          controller,
          seen: [],
        };
        const { result } = await giveUp(given);
        await settled();
        if (waits) await settled();
        // The header was there in time, or the stream was given up before: never neither.
        const begun = (waits || stage === "in the body" || stage === "held back") && !name.includes("before");
        if (begun) await result;
        else await rejectsWith(result, "aborted");
        assert.deepEqual(getEventListeners(controller.signal, "abort"), []);
        const handedOver = new Set(given.seen.map(({ buffer }) => buffer));
        const left = taken.filter(({ buffer }) => !handedOver.has(buffer)).filter(hasMark);
        assert.deepEqual(left, []);
        assert.deepEqual(unhandled, []);
        if (stage === "held back") assert.deepEqual(given.seen, []);
        if (stage === "in the body" && begun) assert.ok(given.seen.length > 0);
      });
    }
  }

  test("a message that fails wipes what was held, and leaves no listener", async () => {
    const { message } = await encrypt(plaintext, { keyring: raw, encryptionContext, frameLength: 64, suite: SIGNED });
    const bad = Buffer.from(message);
    bad[bad.length - 5]! ^= 1;
    for (const kind of ["web", "node"] as const) {
      taken = [];
      const { signal } = new AbortController();
      const options = { keyring: raw, encryptionContext, signal };
      await rejectsWith(
        kind === "web"
          ? buffer(ReadableStream.from([bad]).pipeThrough(decryptStream(options)))
          : buffer(Readable.from([bad]).pipe(createDecryptStream(options))),
        "decryption-failed",
      );
      assert.deepEqual(getEventListeners(signal, "abort"), [], kind);
      assert.deepEqual(taken.filter(hasMark), [], kind);
    }
  });

  test("a stream that went through leaves no listener either", async () => {
    const { signal } = new AbortController();
    const options = { keyring: raw, encryptionContext, signal };
    for (let round = 0; round < 20; round++) {
      await buffer(
        ReadableStream.from([plaintext]).pipeThrough(encryptStream(options)).pipeThrough(decryptStream(options)),
      );
      await buffer(Readable.from([plaintext]).pipe(createEncryptStream(options)).pipe(createDecryptStream(options)));
    }
    assert.deepEqual(getEventListeners(signal, "abort"), []);
  });

  test("whoever comes after sees the reason as it was given", async () => {
    const stream = encryptStream({ keyring: raw, encryptionContext });
    const source = ReadableStream.from(input({ input: plaintext }, () => Promise.reject(reason)));
    await assert.rejects(buffer(source.pipeThrough(stream)), (error) => error === reason);
    const cancelled = encryptStream({ keyring: raw, encryptionContext });
    await cancelled.readable.cancel(reason);
    await assert.rejects(cancelled.writable.getWriter().write(plaintext), (error) => error === reason);
    await assert.rejects(cancelled.result, ({ cause }: Error) => cause === reason);
  });

  test("a keyring that is being asked hears of it", async () => {
    let heard = 0;
    const listening: Keyring = {
      onEncrypt: (_materials, { signal }) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => {
            heard++;
            reject(new Error("stopped"));
          });
        }),
      onDecrypt: () => Promise.reject(new Error("not asked")),
    };
    const web = encryptStream({ keyring: listening, encryptionContext });
    web.writable
      .getWriter()
      .write(plaintext)
      .catch(() => undefined);
    const reader = web.readable.getReader();
    reader.read().catch(() => undefined);
    await settled();
    await reader.cancel();
    const node = createEncryptStream({ keyring: listening, encryptionContext });
    node.write(plaintext);
    await settled();
    node.destroy();
    await settled();
    assert.equal(heard, 2);
  });
});

/** Eight in a row are no accident. */
function hasMark(memory: Uint8Array): boolean {
  for (let at = 0; at + 8 <= memory.length; at++) if (marked(memory.subarray(at, at + 8))) return true;
  return false;
}
