/**
 * Changes genuine messages in every small way and holds that each is refused: all single-bit flips, all truncations,
 * extensions by 1 to 64 bytes, and headers whose lists were written anew.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { decrypt, EnvelopeError } from "@strongroom/envelope";
import { ALGORITHM_SUITES } from "@strongroom/envelope/format";
import type { AlgorithmSuite } from "@strongroom/envelope/format";
import { rawAesEntry, writeMessage } from "./message-writer.ts";
import { context, options, wrappingKey } from "./written-messages.ts";

/** Two wraps, so that changes to the one that is not used are covered too. */
function genuine(suite: AlgorithmSuite, frameLength: number | null): Buffer {
  return writeMessage({
    suite,
    plaintext: randomBytes(6),
    frameLength,
    context,
    wrap: (dataKey, serialized) => [
      rawAesEntry("test", "key-1", wrappingKey, dataKey, serialized),
      rawAesEntry("test", "other", randomBytes(32), dataKey, serialized),
    ],
  });
}

async function assertRefused(changed: Uint8Array, what: string): Promise<void> {
  await decrypt(changed, options).then(
    () => assert.fail(`accepted: ${what}`),
    (error: unknown) => {
      // Anything else would be a crash.
      assert.ok(error instanceof EnvelopeError, `${what}: ${String(error)}`);
    },
  );
}

/** Bytes of a frame in the messages that are changed; null for one block without frames. */
export type Framing = 4 | null;

/** Declares the tests for each of the messages, and one that prints the counts. */
export function describeTampering(messages: readonly (readonly [AlgorithmSuite, Framing])[]): void {
  const counts = { flips: 0, truncations: 0, extensions: 0, entries: 0 };

  describe("changed messages are refused", () => {
    for (const [suite, frameLength] of messages) {
      test(`${suite.name}, ${frameLength === null ? "unframed" : "framed"}`, async () => {
        const message = genuine(suite, frameLength);
        await decrypt(message, options);
        for (let bit = 0; bit < message.length * 8; bit++) {
          const changed = Buffer.from(message);
          changed[bit >> 3]! ^= 1 << (bit & 7);
          await assertRefused(changed, `bit ${bit} flipped`);
          counts.flips++;
        }
        for (let length = 0; length < message.length; length++) {
          await assertRefused(message.subarray(0, length), `cut to ${length} bytes`);
          counts.truncations++;
        }
        for (let extra = 1; extra <= 64; extra++) {
          for (const tail of [Buffer.alloc(extra), randomBytes(extra), message.subarray(0, extra)]) {
            await assertRefused(Buffer.concat([message, tail]), `${extra} bytes appended`);
            counts.extensions++;
          }
        }
      });
    }

    test("encrypted data keys and context entries removed, doubled, swapped or emptied", async () => {
      for (const suite of Object.values(ALGORITHM_SUITES)) {
        const message = genuine(suite, 4);
        for (const changed of rearranged(message, suite)) {
          await assertRefused(changed, "header rearranged");
          counts.entries++;
        }
      }
    });

    test("counts", (t) => {
      const { flips, truncations, extensions, entries } = counts;
      t.diagnostic(
        `${messages.length} messages: ${flips} bit flips, ${truncations} truncations, ${extensions} extensions, ${entries} rearranged headers: 0 accepted`,
      );
      assert.ok(flips > 1_800 * messages.length && truncations > 225 * messages.length);
    });
  });
}

/** The same message with its header's lists written anew in every wrong way. */
function* rearranged(message: Buffer, suite: AlgorithmSuite): Generator<Buffer> {
  const contextStart = suite.messageVersion === 1 ? 20 : 35;
  const contextLength = message.readUInt16BE(contextStart);
  const keysStart = contextStart + 2 + contextLength;
  const pairs = contextLength === 0 ? [] : fields(message, contextStart + 4, message.readUInt16BE(contextStart + 2), 2);
  const keys = fields(message, keysStart + 2, message.readUInt16BE(keysStart), 3);
  const keysEnd = keysStart + 2 + keys.reduce((sum, { length }) => sum + length, 0);
  const head = message.subarray(0, contextStart);
  const tail = message.subarray(keysEnd);
  const build = (newPairs: readonly Buffer[], newKeys: readonly Buffer[]): Buffer => {
    const body = Buffer.concat(newPairs);
    const aad = newPairs.length === 0 ? u16(0) : Buffer.concat([u16(body.length + 2), u16(newPairs.length), body]);
    return Buffer.concat([head, aad, u16(newKeys.length), ...newKeys, tail]);
  };
  for (const list of variations(keys)) yield build(pairs, list);
  for (const list of variations(pairs)) yield build(list, keys);
}

function* variations(list: readonly Buffer[]): Generator<readonly Buffer[]> {
  yield [];
  yield [...list, ...list];
  yield list.toReversed();
  for (let index = 0; index < list.length; index++) {
    yield list.toSpliced(index, 1);
    yield list.toSpliced(index, 0, list[index]!);
    yield list.toSpliced(index, 1, Buffer.alloc(6));
  }
}

function fields(message: Buffer, start: number, count: number, each: number): Buffer[] {
  let offset = start;
  return Array.from({ length: count }, () => {
    const from = offset;
    for (let field = 0; field < each; field++) offset += 2 + message.readUInt16BE(offset);
    return message.subarray(from, offset);
  });
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}
