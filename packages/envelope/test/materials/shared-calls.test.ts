/** Who may hold up whom: what one caller brings or does must not cost another one more than the call it needs anyway. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { decrypt, encrypt, inspect, rawAesKeyring } from "@strongroom/envelope";
import { multiKeyring } from "@strongroom/envelope/multi-keyring";
import { encryptedDataKeysLength, parseHeader, writeEncryptedDataKeys } from "../../src/format/header.ts";
import { DEFAULT_LIMITS } from "../../src/format/suites.ts";
import { cachedKeyring } from "../support/cached-keyring.ts";
import type { CachedKeyring } from "../support/cached-keyring.ts";
import { rejectsWith } from "../support/errors.ts";

const CALL_MS = 20;
const MANY = 50;
const encryptionContext = { id: "42" };
const plaintext = Buffer.from("genuine");
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** A message, and the time at which each call settled. */
async function setup(options: Parameters<typeof cachedKeyring>[0] = {}) {
  const cached = cachedKeyring(options);
  const { value } = await cached.time.run(encrypt(plaintext, { keyring: cached.keyring, encryptionContext }));
  cached.calls.encrypts = 0;
  const begun = cached.time.now();
  const settledAfter = <T>(work: Promise<T>): Promise<{ ms: number; outcome: PromiseSettledResult<T> }> =>
    Promise.allSettled([work]).then(([outcome]) => ({ ms: cached.time.now() - begun, outcome }));
  return { ...cached, message: value.message, settledAfter };
}

/** The same message with its two wrapped data keys the other way round. */
function reordered(message: Uint8Array): Uint8Array {
  const bytes = Buffer.from(message);
  const serialized = parseHeader(message, DEFAULT_LIMITS).encryptedDataKeys.map((key) => {
    const one = Buffer.alloc(encryptedDataKeysLength([key], DEFAULT_LIMITS));
    writeEncryptedDataKeys(one, 0, [key]);
    return one.subarray(2);
  });
  const start = bytes.indexOf(Buffer.concat(serialized));
  Buffer.concat(serialized.toReversed()).copy(bytes, start);
  return bytes;
}

function changed(message: Uint8Array, at: number): Uint8Array {
  const copy = Buffer.from(message);
  copy[at]! ^= 1;
  return copy;
}

/** Ways to spoil a message, all of them found out only after its data key was asked for. */
const SPOILED: readonly (readonly [what: string, spoil: (message: Uint8Array, index: number) => Uint8Array])[] = [
  ["message id", (message, index) => changed(message, 3 + (index % 32))],
  [
    "commitment",
    (message, index) => changed(message, parseHeader(message, DEFAULT_LIMITS).body.length - 1 - (index % 32)),
  ],
  ["header tag", (message, index) => changed(message, parseHeader(message, DEFAULT_LIMITS).length - 1 - (index % 16))],
  [
    "wrapped data key",
    (message, index) => {
      const { ciphertext } = parseHeader(message, DEFAULT_LIMITS).encryptedDataKeys[0]!;
      return changed(message, Buffer.from(message).indexOf(Buffer.from(ciphertext)) + (index % ciphertext.length));
    },
  ],
  ["first frame", (message) => changed(message, message.length - 1)],
];

describe("a genuine read behind spoiled copies", () => {
  for (const [what, spoil] of SPOILED) {
    test(`${MANY} copies with a changed ${what} cost it nothing`, async () => {
      const { materials, time, message, settledAfter } = await setup();
      const open = (bytes: Uint8Array) => settledAfter(decrypt(bytes, { materials, encryptionContext }));
      const bad = Array.from({ length: MANY }, (_, index) => open(spoil(message, index)));
      const good = open(message);
      const { value } = await time.run(Promise.all([good, ...bad]));
      const [genuine, ...others] = value;
      assert.equal(genuine.outcome.status, "fulfilled");
      assert.equal(genuine.ms, CALL_MS);
      for (const { ms, outcome } of others) {
        assert.equal(outcome.status, "rejected");
        assert.equal(ms, CALL_MS, "nor do they wait for each other");
      }
    });
  }

  test("copies that share its wrapped data key share its one call", async () => {
    const { materials, time, message, calls } = await setup();
    const bad = Array.from({ length: MANY }, (_, index) =>
      rejectsWith(decrypt(changed(message, 3 + (index % 32)), { materials, encryptionContext }), "decryption-failed"),
    );
    const good = decrypt(message, { materials, encryptionContext });
    await time.run(Promise.all([good, ...bad]));
    assert.equal(calls.decrypts, 1);
    await time.run(decrypt(message, { materials, encryptionContext }));
    assert.equal(calls.decrypts, 1, "and its data key is kept");
  });

  test("copies that come one after the other, a call long each, do not keep it waiting", async () => {
    const { materials, time, message } = await setup();
    const bad: Promise<unknown>[] = [];
    for (let index = 0; index < 30; index++) {
      time.after(index, () => {
        bad.push(
          rejectsWith(decrypt(changed(message, 3 + index), { materials, encryptionContext }), "decryption-failed"),
        );
      });
    }
    await time.advance(CALL_MS / 2);
    const { value, elapsedMs } = await time.run(decrypt(message, { materials, encryptionContext }));
    assert.equal(text(value.plaintext), "genuine");
    assert.ok(elapsedMs <= CALL_MS, String(elapsedMs));
    await time.advance(10 * CALL_MS);
    await Promise.all(bad);
  });

  test("copies for another context are refused before any call", async () => {
    const { materials, message, calls } = await setup();
    for (let index = 0; index < 42; index++) {
      const elsewhere = { id: String(index) };
      await rejectsWith(decrypt(message, { materials, encryptionContext: elsewhere }), "context-mismatch");
    }
    assert.equal(calls.decrypts, 0);
  });
});

describe("many at once", () => {
  test("genuine messages of different data keys wait for their own calls only", async () => {
    const { materials, keyring, time, calls } = await setup();
    const messages = (
      await time.run(
        Promise.all(Array.from({ length: MANY }, () => encrypt(plaintext, { keyring, encryptionContext }))),
      )
    ).value;
    const opening = messages.map(({ message }) => decrypt(message, { materials, encryptionContext }));
    const { elapsedMs } = await time.run(Promise.all(opening));
    assert.deepEqual([elapsedMs, calls.decrypts], [CALL_MS, MANY]);
  });

  test("genuine messages of one data key share one call", async () => {
    const { materials, time, calls } = await setup();
    const write = () => encrypt(plaintext, { materials, encryptionContext });
    const messages = (await time.run(Promise.all(Array.from({ length: MANY }, write)))).value;
    assert.equal(new Set(messages.map(({ message }) => inspect(message).messageId)).size, MANY);
    const opening = messages.map(({ message }) => decrypt(message, { materials, encryptionContext }));
    const { elapsedMs } = await time.run(Promise.all(opening));
    assert.deepEqual([elapsedMs, calls.decrypts], [CALL_MS, 1]);
  });

  test("the order of the wrapped data keys makes no difference", async () => {
    const { keyring, materials, time, calls, dataKeys } = await setup();
    const two = multiKeyring({
      generator: keyring,
      children: [rawAesKeyring({ keyNamespace: "test", keyName: "key-2", wrappingKey: randomBytes(32) })],
    });
    const { value } = await time.run(encrypt(plaintext, { keyring: two, encryptionContext }));
    calls.decrypts = 0;
    const opening = [value.message, reordered(value.message)].map((message) =>
      decrypt(message, { materials, encryptionContext }),
    );
    const { value: outcomes, elapsedMs } = await time.run(Promise.allSettled(opening));
    // The header's tag covers their order, so the second is a changed message: it fails, and holds up nobody.
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
    assert.deepEqual([elapsedMs, calls.decrypts], [CALL_MS, 1]);
    assert.ok(dataKeys.length > 0);
  });

  for (const maxMessages of [1, 3, 50, 1000]) {
    test(`writers under data keys for ${maxMessages} messages make the fewest calls, all at once`, async () => {
      const { materials, time, calls, dataKeys } = await setup({ maxMessages });
      const writing = Array.from({ length: MANY }, () => encrypt(plaintext, { materials, encryptionContext }));
      const { value, elapsedMs } = await time.run(Promise.all(writing));
      assert.deepEqual([elapsedMs, calls.encrypts], [CALL_MS, Math.ceil(MANY / maxMessages)]);
      const ids = value.map(({ encryptedDataKeys }) => Buffer.from(encryptedDataKeys[0]!.ciphertext).toString("hex"));
      for (const id of new Set(ids)) assert.ok(ids.filter((one) => one === id).length <= maxMessages);
      assert.equal(dataKeys.filter(({ wiped }) => !wiped).length, MANY % maxMessages === 0 ? 0 : 1, "used up is wiped");
    });
  }

  test("writers of many bytes share as far as the bytes go", async () => {
    const { materials, time, calls } = await setup({ maxBytes: 100 });
    const sizes = [60, 60, 30, 10, 100, 0, 90];
    await time.run(Promise.all(sizes.map((size) => encrypt(Buffer.alloc(size), { materials, encryptionContext }))));
    assert.ok(calls.encrypts <= 5, String(calls.encrypts));
  });
});

type Direction = "encrypts" | "decrypts";

describe("the one for whom a call is made", () => {
  const operations: Readonly<
    Record<
      Direction,
      (cached: CachedKeyring & { readonly message: Uint8Array }, signal?: AbortSignal) => Promise<unknown>
    >
  > = {
    encrypts: ({ materials }, signal) =>
      encrypt(plaintext, { materials, encryptionContext, ...(signal && { signal }) }),
    decrypts: ({ materials, message }, signal) =>
      decrypt(message, { materials, encryptionContext, ...(signal && { signal }) }),
  };

  for (const direction of ["encrypts", "decrypts"] as const) {
    const run = operations[direction];
    test(`${direction}: when it gives up, the others still get the answer of its call`, async () => {
      const cached = await setup();
      const controller = new AbortController();
      const leader = rejectsWith(run(cached, controller.signal), "aborted");
      const others = [1, 2, 3].map(() => run(cached));
      await cached.time.advance(CALL_MS / 2);
      controller.abort();
      await leader;
      const { elapsedMs } = await cached.time.run(Promise.all(others));
      assert.deepEqual([elapsedMs, cached.calls[direction]], [CALL_MS / 2, 1]);
    });

    test(`${direction}: when all give up, the next one gets the answer`, async () => {
      const cached = await setup();
      const controllers = [1, 2, 3].map(() => new AbortController());
      const all = controllers.map(({ signal }) => rejectsWith(run(cached, signal) as Promise<never>, "aborted"));
      await cached.time.advance(CALL_MS / 2);
      for (const controller of controllers) controller.abort();
      await Promise.all(all);
      await cached.time.run(run(cached));
      assert.equal(cached.calls[direction], 1);
      await cached.time.advance(CALL_MS);
      await run(cached);
      assert.equal(cached.calls[direction], 1);
    });

    test(`${direction}: one that had given up before it asked makes no call`, async () => {
      const cached = await setup();
      await rejectsWith(run(cached, AbortSignal.abort()), "aborted");
      assert.equal(cached.calls[direction], 0);
    });

    test(`${direction}: a call that never ends holds up its own caller only, however many come`, async () => {
      const cached = await setup();
      cached.hangNext();
      let lost = true;
      void run(cached).finally(() => (lost = false));
      const waiting = [1, 2, 3].map(() => run(cached));
      await cached.time.run(Promise.all(waiting));
      assert.equal(cached.calls[direction], 2, "and they share the next");
      cached.materials.clear();
      const { elapsedMs } = await cached.time.run(run(cached));
      assert.equal(elapsedMs, CALL_MS, "who comes later is not held up at all");
      assert.ok(lost);
    });

    test(`${direction}: a call that ends late serves its caller and replaces nothing newer`, async () => {
      const cached = await setup({ maxAgeMs: 20_000 });
      const answer = cached.hangNext();
      const late = run(cached);
      await cached.time.advance(6_000);
      await cached.time.run(run(cached));
      answer();
      await late;
      const [old, newer] = cached.dataKeys.slice(-2).toReversed();
      assert.deepEqual([old?.wiped, newer?.wiped], [true, false]);
      await run(cached);
      assert.equal(cached.calls[direction], 2);
    });

    test(`${direction}: age counts from when the call was made`, async () => {
      const cached = await setup({ maxAgeMs: 1_000 });
      const answer = cached.hangNext();
      const slow = run(cached);
      await cached.time.advance(999);
      answer();
      await slow;
      assert.equal(cached.materials.size, 1);
      await cached.time.advance(1);
      assert.deepEqual([cached.materials.size, cached.dataKeys.at(-1)?.wiped], [0, true]);
    });
  }

  test("nothing is left behind by one who gave up: neither listener nor timer", async () => {
    const cached = await setup({ maxAgeMs: 1_000 });
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>): void => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>): void => {
      listeners--;
      remove(...args);
    };
    const others = [1, 2, 3].map(() => operations.decrypts(cached, signal).catch(() => undefined));
    const good = operations.decrypts(cached);
    controller.abort();
    await cached.time.run(Promise.all([good, ...others]));
    assert.equal(listeners, 0);
    await cached.time.advance(1_000);
    assert.equal(cached.time.pending, 0);
  });
});
