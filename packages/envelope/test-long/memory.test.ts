/**
 * Looks for data keys in the memory of a process that has used and let go of them, by a core dump. Needs `gcore`, which
 * comes with gdb; over TLS also `openssl`, for a certificate.
 */
import assert from "node:assert/strict";
import { execFile, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { KMS } from "@aws-sdk/client-kms";
import { createKms } from "@strongroom/kms";
import { occurring } from "./support/find-in-file.ts";
import type { Clients, Order, Wrapping } from "./support/seal-and-wait.ts";
import { TlsFront } from "../test/support/tls-front.ts";

const MESSAGES = 1_000;
const REGIONS = ["eu-west-1", "eu-west-2"];
const missing = (command: string, version: string): boolean => spawnSync(command, [version]).error !== undefined;
const skip = missing("gcore", "--help") && "gcore is not there; it comes with gdb";
const skipTls = skip || (missing("openssl", "version") && "openssl is not there");

const bytes = (text: string, encoding: BufferEncoding): Buffer => Buffer.from(text, encoding);

/** The forms in which a key is looked for. The halves find a key that something has begun to overwrite. */
const FORMS = {
  "as bytes": (key) => [key],
  "half of it as bytes": (key) => [key.subarray(0, key.length / 2), key.subarray(key.length / 2)],
  "as base64": (key) => [bytes(key.toString("base64"), "latin1"), bytes(key.toString("base64url"), "latin1")],
  "half of it as base64": (key) => [
    bytes(key.toString("base64").slice(0, 20), "latin1"),
    bytes(key.toString("base64").slice(20, 40), "latin1"),
  ],
  "as hex": (key) => [bytes(key.toString("hex"), "latin1"), bytes(key.toString("hex").toUpperCase(), "latin1")],
  "as UTF-16": (key) => [
    bytes(key.toString("base64"), "utf16le"),
    bytes(key.toString("hex"), "utf16le"),
    bytes(key.toString("latin1"), "utf16le"),
  ],
} satisfies Readonly<Record<string, (key: Buffer) => readonly Buffer[]>>;
type Form = keyof typeof FORMS;
const FORM_NAMES = Object.keys(FORMS) as readonly Form[];

/** How many data keys the process had, and of how many its memory still has each form. */
type Found = Readonly<Record<Form, number>> & { readonly keys: number };

async function lookInto(order: Order, certificate?: string): Promise<Found> {
  const folder = await mkdtemp(join(tmpdir(), "envelope-core-"));
  const child = fork(join(import.meta.dirname, "support/seal-and-wait.ts"), {
    // Without the last one, node keeps ten gigabytes of addresses for WebAssembly, all of which the dump would have.
    execArgv: ["--conditions=@strongroom/source", "--expose-gc", "--disable-wasm-trap-handler"],
    env: certificate === undefined ? process.env : { ...process.env, NODE_EXTRA_CA_CERTS: certificate },
  });
  try {
    child.send(order);
    const ended = once(child, "exit").then(([code]) =>
      Promise.reject(new Error(`the process whose memory was to be looked at ended with ${String(code)}`)),
    );
    const [{ inverted }] = (await Promise.race([once(child, "message"), ended])) as [{ readonly inverted: string }];
    ended.catch(() => undefined);
    const all = Buffer.from(inverted, "hex").map((byte) => ~byte);
    const each = Array.from({ length: all.length / 32 }, (_, index) =>
      Buffer.from(all.subarray(index * 32, index * 32 + 32)),
    );
    const keys = [...new Map(each.map((key) => [key.toString("hex"), key])).values()];
    await promisify(execFile)("gcore", ["-o", join(folder, "core"), String(child.pid)], { maxBuffer: 1e8 });
    const forms = keys.map((key) => new Map(FORM_NAMES.map((form) => [form, FORMS[form](key)])));
    const control = keys.map((key) => Buffer.from(key.map((byte) => ~byte)));
    const found = occurring(join(folder, `core.${String(child.pid)}`), [
      ...forms.flatMap((of) => [...of.values()].flat()),
      ...control,
    ]);
    // The search itself must be able to find something: the inverted keys are there.
    assert.ok(keys.length > 400 && control.every((pattern) => found.has(pattern)));
    const count = (form: Form): number =>
      forms.filter((of) => of.get(form)?.some((pattern) => found.has(pattern))).length;
    return {
      keys: keys.length,
      ...(Object.fromEntries(FORM_NAMES.map((form) => [form, count(form)])) as Record<Form, number>),
    };
  } finally {
    child.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

function tell(t: TestContext, found: Found): void {
  t.diagnostic(
    `${MESSAGES} messages, ${found.keys} data keys; found ${FORM_NAMES.map((form) => `${found[form]} ${form}`).join(", ")}`,
  );
}

const none = (found: Found): Found => ({
  ...(Object.fromEntries(FORM_NAMES.map((form) => [form, 0])) as Record<Form, number>),
  keys: found.keys,
});

/** Seals and opens through clients of a KMS in this process, and looks for the keys in the memory of the other. */
async function throughKms(clients: Clients, front?: TlsFront): Promise<Found> {
  await using kms = await createKms({ regions: REGIONS.map((name) => ({ name, port: 0 })) });
  const regions = await Promise.all(
    REGIONS.map(async (region) => {
      const config = { ...kms.clientConfig(region), maxAttempts: 1 };
      const { KeyMetadata } = await new KMS(config).createKey({});
      const endpoint = front === undefined ? {} : { endpoint: await front.before(kms.endpoints[region] ?? "") };
      return { region, keyArn: KeyMetadata?.Arn ?? "", config: { ...config, ...endpoint } };
    }),
  );
  const wrapping: Wrapping = { kind: "aws-kms", clients, regions };
  return await lookInto({ messages: MESSAGES, wrapping }, front?.certificateFile);
}

describe("data keys in a core dump, the cache emptied", { skip, timeout: 600_000 }, () => {
  test("raw AES keyring: none", async (t) => {
    const found = await lookInto({ messages: MESSAGES, wrapping: { kind: "raw-aes" } });
    tell(t, found);
    assert.deepEqual(found, none(found));
  });

  test("AWS KMS in two regions, keys as bytes, wiping agents: none", async (t) => {
    const found = await throughKms("keys-as-bytes-and-wiping-agents");
    tell(t, found);
    assert.deepEqual(found, none(found));
  });

  test("the same over TLS: the last answer, if any", { skip: skipTls }, async (t) => {
    await using front = await TlsFront.start();
    const found = await throughKms("keys-as-bytes-and-wiping-agents", front);
    tell(t, found);
    // Node decrypts each answer to the same place on its stack, where the last one stays until something comes to lie
    // over it.
    assert.ok(found["as base64"] <= 1 && found["half of it as base64"] <= 1);
    assert.deepEqual({ ...found, "as base64": 0, "half of it as base64": 0 }, none(found));
  });

  test("AWS KMS in two regions, keys as bytes, the SDK's own agents", async (t) => {
    tell(t, await throughKms("keys-as-bytes"));
  });

  test("AWS KMS in two regions, the SDK as it comes: the search finds the base64 text of most", async (t) => {
    const found = await throughKms("plain");
    tell(t, found);
    assert.ok(found["as base64"] > found.keys / 2);
  });
});
