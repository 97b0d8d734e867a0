import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import type { Transform } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { ReadableWritablePair } from "node:stream/web";
import { runInNewContext } from "node:vm";
import {
  createDecryptStream,
  createEncryptStream,
  decrypt,
  decryptStream,
  encrypt,
  encryptStream,
  rawAesKeyring,
} from "@strongroom/envelope";
import type { EncryptOptions, Keyring } from "@strongroom/envelope";
import { rejectsWith } from "../support/errors.ts";

const wrappingKey = randomBytes(32);
const names = { keyNamespace: "test", keyName: "key-1" };
const raw = rawAesKeyring({ ...names, wrappingKey });
/** A round trip to a KMS: the caller's code runs in between. */
const away: Keyring = {
  onEncrypt: (...asked) => new Promise<void>(setImmediate).then(() => raw.onEncrypt(...asked)),
  onDecrypt: (...asked) => new Promise<void>(setImmediate).then(() => raw.onDecrypt(...asked)),
};
const SIGNED = "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384";

interface Bytes {
  readonly bytes: Uint8Array;
  /** What the caller does to its memory after the call. */
  readonly change: () => void;
}

/** Where bytes can lie, and what can become of them there. */
const MEMORIES: Readonly<Record<string, (content: Uint8Array) => Bytes>> = {
  overwritten: (content) => {
    const bytes = Uint8Array.from(content);
    return { bytes, change: () => bytes.fill(0) };
  },
  "overwritten, in the middle of a larger one": (content) => {
    const larger = new Uint8Array(content.length + 200);
    larger.set(content, 100);
    return { bytes: larger.subarray(100, 100 + content.length), change: () => larger.fill(0) };
  },
  cut: (content) => {
    const memory = new ArrayBuffer(content.length, { maxByteLength: content.length * 2 });
    const bytes = new Uint8Array(memory);
    bytes.set(content);
    return {
      bytes,
      change: () => {
        memory.resize(1);
      },
    };
  },
  grown: (content) => {
    const memory = new ArrayBuffer(content.length, { maxByteLength: content.length * 2 });
    const bytes = new Uint8Array(memory);
    bytes.set(content);
    return {
      bytes,
      change: () => {
        memory.resize(content.length * 2);
      },
    };
  },
  transferred: (content) => {
    const bytes = Uint8Array.from(content);
    return { bytes, change: () => void structuredClone(bytes.buffer, { transfer: [bytes.buffer] }) };
  },
  "shared, and overwritten": (content) => {
    const bytes = new Uint8Array(new SharedArrayBuffer(content.length));
    bytes.set(content);
    return { bytes, change: () => bytes.fill(0) };
  },
  "of another realm, and overwritten": (content) => {
    const bytes = runInNewContext("new Uint8Array(length)", { length: content.length }) as Uint8Array;
    bytes.set(content);
    return { bytes, change: () => bytes.fill(0) };
  },
};

const SIZES: readonly { readonly size: number; readonly options: Partial<EncryptOptions> }[] = [
  { size: 1, options: {} },
  { size: 64, options: {} },
  { size: 1_000, options: { frameLength: 100 } },
  { size: 1_000, options: { frameLength: 100, suite: SIGNED } },
  { size: 100_000, options: {} },
];

describe("what a caller does after the call changes nothing", () => {
  for (const [name, lay] of Object.entries(MEMORIES)) {
    for (const { size, options } of SIZES) {
      test(`${size} bytes, ${name}${options.suite === undefined ? "" : ", signed"}`, async () => {
        const content = randomBytes(size);
        const encryptionContext = { file: "report.pdf" };
        const plaintext = lay(content);
        const sealing = encrypt(plaintext.bytes, { keyring: away, encryptionContext, ...options } as EncryptOptions);
        plaintext.change();
        const message = lay((await sealing).message);
        const opening = decrypt(message.bytes, { keyring: away, encryptionContext });
        message.change();
        assert.deepEqual(Buffer.from((await opening).plaintext), content);
      });
    }
  }

  test("another genuine message put in its place", async () => {
    const of = async (id: string): Promise<Uint8Array> =>
      (await encrypt(Buffer.from(id), { keyring: raw, encryptionContext: { id } })).message;
    const [first, second] = [await of("1"), await of("2")];
    const memory = Uint8Array.from(first);
    const opening = decrypt(memory, { keyring: away, encryptionContext: { id: "1" } });
    memory.set(second);
    assert.equal(Buffer.from((await opening).plaintext).toString(), "1");
  });

  test("contexts, option objects and their lists", async () => {
    const encryptionContext: Record<string, string> = { file: "a", tenant: "t" };
    const requiredContextKeys = ["tenant"];
    const limits = { encryptedDataKeys: 4 };
    const options = { keyring: away, encryptionContext, requiredContextKeys, limits };
    const written = { ...options, frameLength: 100 };
    const change = (): void => {
      encryptionContext["file"] = "b";
      encryptionContext["new"] = "c";
      requiredContextKeys.push("file");
      limits.encryptedDataKeys = 0;
      Object.assign(options, { keyring: null, encryptionContext: {} });
      Object.assign(written, { frameLength: 1, keyring: null, encryptionContext: {} });
    };
    const restore = (): void => {
      for (const key of Object.keys(encryptionContext)) Reflect.deleteProperty(encryptionContext, key);
      Object.assign(encryptionContext, { file: "a", tenant: "t" });
      requiredContextKeys.length = 1;
      limits.encryptedDataKeys = 4;
      Object.assign(options, { keyring: away, encryptionContext });
      Object.assign(written, { frameLength: 100, keyring: away, encryptionContext });
    };
    const asCalled = { file: "a", tenant: "t" };

    const sealing = encrypt(randomBytes(300), written);
    change();
    const sealed = await sealing;
    assert.deepEqual(sealed.encryptionContext, asCalled);
    restore();
    const opening = decrypt(sealed.message, options);
    change();
    assert.deepEqual((await opening).encryptionContext, asCalled);

    for (const [sealStream, openStream] of [
      [encryptStream, decryptStream],
      [createEncryptStream, createDecryptStream],
    ] as const) {
      restore();
      const writing = sealStream(written);
      change();
      const message = await run(writing, randomBytes(300));
      assert.deepEqual((await writing.result).encryptionContext, asCalled);
      restore();
      const reading = openStream(options);
      change();
      await run(reading, message);
      assert.deepEqual((await reading.result).encryptionContext, asCalled);
    }
  });

  test("the key bytes and the names that a keyring is made with", async () => {
    const key = Uint8Array.from(wrappingKey);
    const options = { ...names, wrappingKey: key };
    const keyring = rawAesKeyring(options);
    key.fill(0);
    Object.assign(options, { keyNamespace: "other", keyName: "other", wrappingKey: new Uint8Array(32) });
    const encryptionContext = { file: "report.pdf" };
    const { message } = await encrypt(Buffer.from("text"), { keyring, encryptionContext });
    assert.equal(
      Buffer.from((await decrypt(message, { keyring: raw, encryptionContext })).plaintext).toString(),
      "text",
    );
    const { message: other } = await encrypt(Buffer.from("text"), { keyring: raw, encryptionContext });
    assert.equal(Buffer.from((await decrypt(other, { keyring, encryptionContext })).plaintext).toString(), "text");
  });
});

describe("bytes that are not there any more", () => {
  const gone: Readonly<Record<string, () => Uint8Array>> = {
    transferred: () => {
      const bytes = new Uint8Array(100);
      structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
      return bytes;
    },
    "cut off": () => {
      const memory = new ArrayBuffer(100, { maxByteLength: 100 });
      const bytes = new Uint8Array(memory, 50, 10);
      memory.resize(10);
      return bytes;
    },
    "not bytes": () => [1, 2, 3] as never,
    "other numbers": () => new Uint16Array(10) as never,
  };
  for (const [name, make] of Object.entries(gone)) {
    test(`${name}: refused, not read as empty`, async () => {
      const options = { keyring: raw, encryptionContext: {} };
      await rejectsWith(encrypt(make(), options), "option-invalid");
      await rejectsWith(decrypt(make(), options), "option-invalid");
      await rejectsWith(run(encryptStream(options), make()), "option-invalid");
      await rejectsWith(run(decryptStream(options), make()), "option-invalid");
    });
  }
});

type Stream = ReadableWritablePair<Uint8Array, Uint8Array> | Transform;

async function run(stream: Stream, chunk: Uint8Array): Promise<Buffer> {
  if (!("pipe" in stream)) return buffer(ReadableStream.from([chunk]).pipeThrough(stream));
  stream.end(chunk);
  return buffer(stream);
}
