/**
 * Throws millions of damaged messages at decrypt. Bounded by STRONGROOM_FUZZ_INPUTS; the seed is printed and can be
 * given back as STRONGROOM_FUZZ_SEED.
 */
import assert from "node:assert/strict";
import { randomBytes, randomInt } from "node:crypto";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { decrypt, EnvelopeError } from "@strongroom/envelope";
import { ALGORITHM_SUITES } from "@strongroom/envelope/format";
import { rawAesEntry, writeMessage } from "../test/support/message-writer.ts";
import { context, options, wrappingKey } from "../test/support/written-messages.ts";

const INPUTS = Number(process.env["STRONGROOM_FUZZ_INPUTS"] ?? 5_000_000);
const SEED = Number(process.env["STRONGROOM_FUZZ_SEED"] ?? randomInt(2 ** 31));
/** An input that takes this long twice is a hang; once may be the machine's doing. */
const HANG_MS = 5_000;

/** xorshift32: small, fast and repeatable. */
function generator(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const corpus = Object.values(ALGORITHM_SUITES).flatMap((suite) =>
  [8, null].map((frameLength) =>
    writeMessage({
      suite,
      plaintext: randomBytes(20),
      frameLength,
      context,
      wrap: (dataKey, serialized) => [rawAesEntry("test", "key-1", wrappingKey, dataKey, serialized)],
    }),
  ),
);

type Mutation = (message: Buffer, random: (below: number) => number) => Buffer;

const INTERESTING = [0, 1, 0x7f, 0x80, 0xff] as const;

const MUTATIONS: readonly Mutation[] = [
  (message, random) => {
    const index = random(message.length);
    return set(message, index, (message[index] ?? 0) ^ (1 << random(8)));
  },
  (message, random) => set(message, random(message.length), random(256)),
  (message, random) => set(message, random(message.length), INTERESTING[random(INTERESTING.length)]!),
  // The header is where the structure is.
  (message, random) => set(message, random(Math.min(message.length, 120)), random(256)),
  (message, random) => message.subarray(0, random(message.length)),
  (message, random) => Buffer.concat([message, Buffer.alloc(1 + random(40), random(256))]),
  (message, random) => splice(message, random(message.length), random(9), Buffer.alloc(0)),
  (message, random) => splice(message, random(message.length), 0, Buffer.alloc(1 + random(8), random(256))),
  (message, random) => {
    const from = random(message.length);
    return splice(message, random(message.length), 0, message.subarray(from, from + random(60)));
  },
  (message, random) => {
    const other = corpus[random(corpus.length)]!;
    return Buffer.concat([message.subarray(0, random(message.length)), other.subarray(random(other.length))]);
  },
  // Lengths: two or four bytes at once.
  (message, random) => splice(message, random(message.length - 4), 2, Buffer.from([random(256), random(256)])),
  (message, random) =>
    splice(message, random(message.length - 4), 4, Buffer.alloc(4, INTERESTING[random(INTERESTING.length)])),
];

function set(message: Buffer, index: number, value: number): Buffer {
  const changed = Buffer.from(message);
  changed[index] = value;
  return changed;
}

function splice(message: Buffer, start: number, remove: number, insert: Buffer): Buffer {
  return Buffer.concat([message.subarray(0, start), insert, message.subarray(start + remove)]);
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What is left after collecting: the resident set also has what the allocator keeps for later. */
function memoryInUse(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function refusal(message: Buffer, which: string): Promise<{ readonly code: string; readonly elapsedMs: number }> {
  for (const attempt of ["first", "second"] as const) {
    const before = performance.now();
    try {
      await decrypt(message, options);
    } catch (error) {
      if (!(error instanceof EnvelopeError)) throw error;
      const elapsedMs = performance.now() - before;
      if (elapsedMs < HANG_MS) return { code: error.code, elapsedMs };
      assert.equal(attempt, "first", `${which} takes ${elapsedMs} ms: ${message.toString("hex")}`);
      continue;
    }
    assert.fail(`${which} was accepted: ${message.toString("hex")}`);
  }
  assert.fail(which);
}

test(`${INPUTS} damaged messages: none accepted, no crash, no hang, memory flat`, { timeout: 3_600_000 }, async (t) => {
  const random = generator(SEED);
  t.diagnostic(`seed ${SEED}`);
  const genuine = new Set(corpus.map((message) => message.toString("latin1")));
  const codes = new Map<string, number>();
  let unchanged = 0;
  let slowest = 0;
  let settledMemory = 0;
  const started = performance.now();
  for (let input = 0; input < INPUTS; input++) {
    let changed = corpus[random(corpus.length)]!;
    for (let rounds = 1 + random(3); rounds > 0 && changed.length > 8; rounds--)
      changed = MUTATIONS[random(MUTATIONS.length)]!(changed, random);
    if (genuine.has(changed.toString("latin1"))) {
      unchanged++;
      continue;
    }
    const { code, elapsedMs } = await refusal(changed, `seed ${SEED}, input ${input}`);
    codes.set(code, (codes.get(code) ?? 0) + 1);
    slowest = Math.max(slowest, elapsedMs);
    if (input === Math.floor(INPUTS / 10)) settledMemory = memoryInUse();
  }
  const grown = memoryInUse() - settledMemory;
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  t.diagnostic(
    `${INPUTS} inputs in ${seconds} s, 0 accepted, ${unchanged} left unchanged by their mutation, slowest ${slowest.toFixed(1)} ms`,
  );
  t.diagnostic(
    `refused as: ${[...codes]
      .sort((a, b) => b[1] - a[1])
      .map(([code, count]) => `${code} ${count}`)
      .join(", ")}`,
  );
  t.diagnostic(`memory grew by ${(grown / 1e6).toFixed(1)} MB after the first tenth`);
  assert.ok(grown < 20e6, "memory is not flat");
});
