// A behaviour of AWS KMS, pinned by a test. The page docs/kms.md is made from these calls (test/kms-page.ts): its
// number, its words, the operations that it is about.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { ACCOUNT, REGION, runningKms } from "../running-kms.ts";
import type { RunningKms } from "../running-kms.ts";
import { signedCall } from "../signed-call.ts";
import type { WireAnswer } from "../signed-call.ts";

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- JSON of any shape; the assertions are the check
export type Members = Record<string, any>;

/** A KMS and the short ways to call it that behaviours are written in. */
export interface Bench extends RunningKms {
  /** An answer that must be a success. */
  readonly ok: (operation: string, body: object, region?: string) => Promise<Members>;
  /** An answer that must be an error; gives its type and message. */
  readonly refused: (
    operation: string,
    body: object,
    region?: string,
  ) => Promise<[type: string, message: string | undefined]>;
  readonly wire: (operation: string, body: object | string, region?: string) => Promise<WireAnswer>;
  /** Makes a key and gives its metadata. */
  readonly key: (body?: object, region?: string) => Promise<Members>;
}

export async function bench(t: TestContext, options: Parameters<typeof runningKms>[1] = {}): Promise<Bench> {
  const running = await runningKms(t, options);
  const { kms, clock } = running;
  const wire: Bench["wire"] = (operation, body, region = REGION) =>
    signedCall({
      endpoint: kms.endpoints[region]!,
      credentials: kms.credentials,
      region,
      operation,
      body,
      signingDate: new Date(clock.now()),
    });
  const ok: Bench["ok"] = async (operation, body, region) => {
    const answer = await wire(operation, body, region);
    assert.equal(answer.status, 200, `${operation}: ${answer.text}`);
    return answer.json;
  };
  const refused: Bench["refused"] = async (operation, body, region) => {
    const answer = await wire(operation, body, region);
    assert.notEqual(answer.status, 200, `${operation} was expected to fail: ${answer.text}`);
    return [answer.json["__type"] as string, (answer.json["message"] ?? answer.json["Message"]) as string | undefined];
  };
  const key: Bench["key"] = async (body = {}, region) =>
    (await ok("CreateKey", body, region))["KeyMetadata"] as Members;
  return { ...running, wire, ok, refused, key };
}

/** Declares the test of a behaviour. `operations` are those it pins, `options` those of its KMS. */
export function behaviour(
  number: number,
  title: string,
  operations: readonly string[],
  run: (b: Bench, t: TestContext) => Promise<void>,
  options: Parameters<typeof runningKms>[1] = {},
): void {
  void test(`${number}. ${title} [${operations.join(", ")}]`, async (t) => run(await bench(t, options), t));
}

export const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString("base64");
export const arnOf = (keyId: string, region: string = REGION): string =>
  `arn:aws:kms:${region}:${ACCOUNT}:key/${keyId}`;
export const NOWHERE = "12345678-1234-1234-1234-123456789012";
