/** What decrypt says of a message, the policy of signatures, contexts taken as stored, and bytes of other realms. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { describe, test } from "node:test";
import vm from "node:vm";
import {
  cachingMaterials,
  createDecryptStream,
  decrypt,
  decryptStream,
  encrypt,
  EnvelopeError,
  inspect,
  isEnvelopeError,
  rawAesKeyring,
} from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { kmsDiscoveryKeyring } from "@strongroom/envelope/aws-kms-discovery";
import { hierarchicalKeyring } from "@strongroom/envelope/hierarchical";
import { multiKeyring } from "@strongroom/envelope/multi-keyring";
import { InMemoryBranchKeys } from "../support/branch-key-store.ts";
import { rejectsWith } from "../support/errors.ts";
import { InMemoryKms } from "../support/in-memory-kms.ts";

const SIGNED = "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384";
const UNSIGNED = "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY";
const encryptionContext = { id: "42" };
const kms = [new InMemoryKms("eu-west-1"), new InMemoryKms("eu-west-2")] as const;
const regions = multiRegionKeyring({ regions: kms.map((one) => one.asRegion), minimum: 1 });
const raw = rawAesKeyring({ keyNamespace: "test", keyName: "key-1", wrappingKey: randomBytes(32) });
const branchKeys = new InMemoryBranchKeys();
branchKeys.rotate("tenant-7");
const named = (one: InMemoryKms) => ({ providerId: "aws-kms", key: one.keyArn, region: one.region });
const clients = Object.fromEntries(kms.map((one) => [one.region, one]));

const OPENED: Readonly<
  Record<string, { readonly keyring: Keyring; readonly reader?: Keyring; readonly openedBy: unknown }>
> = {
  "raw AES": { keyring: raw, openedBy: { providerId: "test", key: "key-1", region: null } },
  "multi-region": { keyring: regions, openedBy: named(kms[0]) },
  discovery: {
    keyring: regions,
    reader: kmsDiscoveryKeyring({ clients, filter: { partition: "aws", accounts: ["000000000000"] } }),
    openedBy: named(kms[0]),
  },
  multi: {
    keyring: multiKeyring({ generator: raw, children: [regions] }),
    openedBy: { providerId: "test", key: "key-1", region: null },
  },
  hierarchical: {
    keyring: hierarchicalKeyring({ keyStore: branchKeys, branchKeyId: "tenant-7", maxAgeMs: 60_000 }),
    openedBy: { providerId: "aws-kms-hierarchy", key: "tenant-7", region: null },
  },
  "one that does not say": {
    keyring: {
      onEncrypt: (...given) => raw.onEncrypt(...given),
      onDecrypt: async (...given) => {
        const { openedBy, ...rest } = await raw.onDecrypt(...given);
        assert.notEqual(openedBy, undefined);
        return rest;
      },
    },
    openedBy: null,
  },
};

describe("the result says what was opened", () => {
  for (const [name, { keyring, reader = keyring, openedBy }] of Object.entries(OPENED)) {
    for (const suite of [SIGNED, UNSIGNED] as const) {
      test(`${name}, ${suite}: of a buffer, a stream and a cache`, async () => {
        const written = await encrypt(Buffer.from("x"), {
          keyring,
          encryptionContext: { ...encryptionContext, secret: "s" },
          requiredContextKeys: ["secret"],
          suite,
        });
        const options = { encryptionContext: { ...encryptionContext, secret: "s" }, requiredContextKeys: ["secret"] };
        const told = {
          encryptionContext: { id: "42", secret: "s" },
          storedContext: encryptionContext,
          suite,
          signed: suite === SIGNED,
          openedBy,
        };
        const { plaintext, ...opened } = await decrypt(written.message, { ...options, keyring: reader });
        assert.equal(Buffer.from(plaintext).toString(), "x");
        assert.deepEqual(opened, told);
        const stream = decryptStream({ ...options, keyring: reader });
        await buffer(ReadableStream.from([written.message]).pipeThrough(stream));
        assert.deepEqual(await stream.result, told);
        using materials = cachingMaterials({ keyring: reader, maxAgeMs: 60_000, hotMessages: 10 });
        for (let time = 0; time < 3; time++) {
          const { plaintext: read, ...again } = await decrypt(written.message, { ...options, materials });
          assert.equal(read.length, 1);
          assert.deepEqual(again, told);
        }
      });
    }
  }

  test("the region that answered, when the nearest does not", async () => {
    const { message } = await encrypt(Buffer.from("x"), { keyring: regions, encryptionContext });
    kms[0].fault = { kind: "throws", error: new Error("away") };
    const { openedBy } = await decrypt(message, { keyring: regions, encryptionContext });
    kms[0].fault = { kind: "none" };
    assert.deepEqual(openedBy, named(kms[1]));
  });
});

describe("signedMessages: require", () => {
  test("refuses an unsigned message before any key is asked for, and reads a signed one", async () => {
    const [unsigned, signed] = await Promise.all(
      [UNSIGNED, SIGNED].map((suite) =>
        encrypt(Buffer.from("x"), { keyring: regions, encryptionContext, suite: suite as typeof SIGNED }),
      ),
    );
    const options = { keyring: regions, encryptionContext, signedMessages: "require" } as const;
    const before = kms.map(({ calls }) => calls.length);
    await rejectsWith(decrypt(unsigned!.message, options), "signature-required");
    await rejectsWith(
      buffer(ReadableStream.from([unsigned!.message]).pipeThrough(decryptStream(options))),
      "signature-required",
    );
    const node = createDecryptStream(options);
    node.end(unsigned!.message);
    await rejectsWith(buffer(node), "signature-required");
    assert.deepEqual(
      kms.map(({ calls }) => calls.length),
      before,
    );
    assert.equal((await decrypt(signed!.message, options)).signed, true);
    assert.equal(
      (await buffer(ReadableStream.from([signed!.message]).pipeThrough(decryptStream(options)))).toString(),
      "x",
    );
    for (const { message } of [unsigned!, signed!]) await decrypt(message, { ...options, signedMessages: "allow" });
  });

  test("holds a signed message back until its signature is verified", async () => {
    const { message } = await encrypt(Buffer.alloc(100), {
      keyring: raw,
      encryptionContext,
      suite: SIGNED,
      frameLength: 10,
    });
    const stream = createDecryptStream({ keyring: raw, encryptionContext, signedMessages: "require" });
    const out: unknown[] = [];
    stream.on("data", (piece) => out.push(piece));
    const failed = new Promise((resolve) => stream.once("error", resolve));
    stream.end(message.subarray(0, message.length - 1));
    assert.equal(((await failed) as EnvelopeError).code, "message-truncated");
    assert.deepEqual(out, []);
  });
});

describe("encryptionContext: as-stored", () => {
  test("reads any message of the keys, and says for what it was made", async () => {
    for (const suite of [SIGNED, UNSIGNED] as const) {
      const { message } = await encrypt(Buffer.from("x"), { keyring: raw, encryptionContext, suite });
      const opened = await decrypt(message, { keyring: raw, encryptionContext: "as-stored" });
      assert.deepEqual([opened.encryptionContext, opened.storedContext], [encryptionContext, encryptionContext]);
    }
  });

  test("authenticates the context that it takes", async () => {
    const { message } = await encrypt(Buffer.from("x"), { keyring: raw, encryptionContext });
    const changed = Buffer.from(message);
    changed.write("43", changed.indexOf("42"));
    await rejectsWith(decrypt(changed, { keyring: raw, encryptionContext: "as-stored" }), "decryption-failed");
  });

  test("has nothing for what is not stored", async () => {
    const { message } = await encrypt(Buffer.from("x"), {
      keyring: raw,
      encryptionContext,
      requiredContextKeys: ["id"],
    });
    await rejectsWith(decrypt(message, { keyring: raw, encryptionContext: "as-stored" }), "decryption-failed");
    const options = { keyring: raw, encryptionContext: "as-stored", requiredContextKeys: ["id"] } as const;
    await rejectsWith(decrypt(message, options), "option-invalid");
  });
});

describe("bytes", () => {
  const foreign = (bytes: Uint8Array): Uint8Array =>
    vm.runInNewContext("Uint8Array.from(list)", { list: [...bytes] }) as Uint8Array;

  test("of another realm are bytes", async () => {
    const wrappingKey = randomBytes(32);
    const keyring = rawAesKeyring({ keyNamespace: "test", keyName: "k", wrappingKey: foreign(wrappingKey) });
    const { message } = await encrypt(foreign(Buffer.from("hello")), { keyring, encryptionContext });
    assert.equal(inspect(foreign(message)).body?.plaintextLength, 5);
    const { plaintext } = await decrypt(foreign(message), {
      keyring: rawAesKeyring({ keyNamespace: "test", keyName: "k", wrappingKey }),
      encryptionContext,
    });
    assert.equal(Buffer.from(plaintext).toString(), "hello");
    const pieces = ReadableStream.from([foreign(message)]);
    assert.equal((await buffer(pieces.pipeThrough(decryptStream({ keyring, encryptionContext })))).toString(), "hello");
    const node = createDecryptStream({ keyring, encryptionContext });
    node.end(foreign(message));
    assert.equal((await buffer(node)).toString(), "hello");
  });

  test("are Uint8Arrays alone: whose memory is here", async () => {
    const given = new Uint8Array(8);
    structuredClone(given, { transfer: [given.buffer] });
    for (const wrong of [
      null,
      undefined,
      "text",
      [1],
      {},
      new ArrayBuffer(8),
      new SharedArrayBuffer(8),
      new DataView(new ArrayBuffer(8)),
      new Uint16Array(4),
      new Proxy(new Uint8Array(8), {}),
      given,
    ]) {
      await rejectsWith(encrypt(wrong as never, { keyring: raw, encryptionContext }), "option-invalid");
      await rejectsWith(decrypt(wrong as never, { keyring: raw, encryptionContext }), "option-invalid");
      assert.throws(() => inspect(wrong as never), { code: "option-invalid" });
    }
    await encrypt(new Uint8Array(0), { keyring: raw, encryptionContext });
  });
});

test("isEnvelopeError knows the errors of another copy of the package, and nothing else", async () => {
  const copy = (await import(`../../src/errors.ts?copy=${Date.now()}`)) as {
    readonly EnvelopeError: typeof EnvelopeError;
  };
  const error: Error = new copy.EnvelopeError("aborted", "x");
  assert.ok(!(error instanceof EnvelopeError));
  assert.ok(isEnvelopeError(error) && isEnvelopeError(new EnvelopeError("aborted", "x")));
  for (const other of [null, undefined, "x", {}, { name: "EnvelopeError", code: "aborted" }, new Error("x")])
    assert.ok(!isEnvelopeError(other));
  const failing: Keyring = {
    ...raw,
    onDecrypt: async () => {
      throw error;
    },
  };
  const { message } = await encrypt(Buffer.from("x"), { keyring: raw, encryptionContext });
  const both = multiKeyring({ children: [failing, failing] });
  await rejectsWith(decrypt(message, { keyring: both, encryptionContext }), "aborted");
});
