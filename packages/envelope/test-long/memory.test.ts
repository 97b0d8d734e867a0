/**
 * Looks for data keys in the memory of a process that has used and let go of them, by a core dump. Needs `gcore`, which
 * comes with gdb.
 */
import assert from "node:assert/strict";
import { execFile, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { KMS } from "@aws-sdk/client-kms";
import { createKms } from "@strongroom/kms";
import { occurring } from "./support/find-in-file.ts";
import type { Order } from "./support/seal-and-wait.ts";

const MESSAGES = 1_000;
const skip = spawnSync("gcore", ["--help"]).error === undefined ? false : "gcore is not there; it comes with gdb";

/** Data keys the process had, and how many of them its memory still has, as bytes and as base64 text. */
interface Found {
  readonly keys: number;
  readonly asBytes: number;
  readonly asBase64: number;
  readonly keysThatNeverWere: number;
}

async function lookInto(order: Order): Promise<Found> {
  const folder = await mkdtemp(join(tmpdir(), "envelope-core-"));
  const child = fork(join(import.meta.dirname, "support/seal-and-wait.ts"), { execArgv: ["--conditions=@strongroom/source", "--expose-gc"] });
  try {
    child.send(order);
    const [{ inverted }] = (await once(child, "message")) as [{ readonly inverted: string }];
    const bytes = Buffer.from(inverted, "hex").map((byte) => ~byte);
    const keys = Array.from({ length: bytes.length / 32 }, (_, index) => Buffer.from(bytes.subarray(index * 32, index * 32 + 32)));
    const distinct = [...new Map(keys.map((key) => [key.toString("hex"), key])).values()];
    await promisify(execFile)("gcore", ["-o", join(folder, "core"), String(child.pid)], { maxBuffer: 1e8 });
    const core = join(folder, `core.${String(child.pid)}`);
    const asBase64 = distinct.map((key) => Buffer.from(key.toString("base64")));
    // The search itself must be able to find something: the inverted keys are there.
    const control = distinct.map((key) => Buffer.from(key.map((byte) => ~byte)));
    const found = occurring(core, [...distinct, ...asBase64, ...control]);
    const count = (patterns: readonly Buffer[]): number => patterns.filter((pattern) => found.has(pattern)).length;
    return { keys: distinct.length, asBytes: count(distinct), asBase64: count(asBase64), keysThatNeverWere: count(control) };
  } finally {
    child.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

describe("data keys in a core dump, the cache emptied", { skip }, () => {
  test("raw AES keyring", { timeout: 600_000 }, async (t) => {
    const found = await lookInto({ messages: MESSAGES, regions: null });
    t.diagnostic(`${MESSAGES} messages, ${found.keys} data keys: ${found.asBytes} found as bytes, ${found.asBase64} as base64`);
    assert.ok(found.keys > 400 && found.keysThatNeverWere === found.keys);
    assert.deepEqual([found.asBytes, found.asBase64], [0, 0]);
  });

  test("AWS KMS in two regions, through the AWS SDK", { timeout: 600_000 }, async (t) => {
    const names = ["eu-west-1", "eu-west-2"];
    await using kms = await createKms({ regions: names.map((name) => ({ name, port: 0 })) });
    const regions = await Promise.all(
      names.map(async (region) => {
        const config = { ...kms.clientConfig(region), maxAttempts: 1 };
        const { KeyMetadata } = await new KMS(config).createKey({});
        return { region, keyArn: KeyMetadata?.Arn ?? "", config };
      }),
    );
    const found = await lookInto({ messages: MESSAGES, regions });
    // Measured, not promised: the SDK makes base64 strings of keys, in answers and in requests, and copies of its own.
    // Neither can be wiped from here; the bytes that it hands over are.
    t.diagnostic(`${MESSAGES} messages, ${found.keys} data keys: the SDK left ${found.asBytes} behind as bytes and ${found.asBase64} as base64 text`);
    assert.ok(found.keys > 400 && found.keysThatNeverWere === found.keys);
  });
});
