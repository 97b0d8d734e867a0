/** Every option of every public function: wrong values, misspelt names, absence, polluted prototypes, hostile objects. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { inspect as show } from "node:util";
import vm from "node:vm";
import { EnvelopeError } from "@strongroom/envelope";
import { keysAsBytes } from "@strongroom/envelope/aws-sdk";
import { throwsWith } from "../support/errors.ts";
import {
  type Given,
  PUBLIC_FUNCTIONS,
  type PublicFunction,
  wipingAgents,
  WITHOUT_OPTIONS,
} from "./public-functions.ts";

/** The error that it ends with, thrown or rejected; anything but an EnvelopeError fails the test. */
async function errorOf(made: () => unknown): Promise<EnvelopeError | null> {
  try {
    await made();
    return null;
  } catch (error) {
    if (!(error instanceof EnvelopeError)) throw error;
    return error;
  }
}

async function refused({ call }: PublicFunction, options: unknown, what: string): Promise<string> {
  const error = await errorOf(() => call(options));
  assert.equal(error?.code, "option-invalid", `${what}: ${error?.message ?? "was taken"}`);
  return error.message;
}

/** `good` with the value at the path `a.b` changed. */
function changed(given: unknown, path: readonly string[], value: unknown): unknown {
  const [name = "", ...rest] = path;
  if (Array.isArray(given))
    return (given as unknown[]).map((one, index) => (String(index) === name ? changed(one, rest, value) : one));
  const there = (given as Given)[name];
  return { ...(given as Given), [name]: rest.length === 0 ? value : changed(there ?? {}, rest, value) };
}

/** Where a cross-realm or null-prototype object must do as well. */
const FORMS: Readonly<Record<string, (options: Given) => unknown>> = {
  "of another realm": (options) => Object.assign(vm.runInNewContext("({})") as Given, options),
  "without a prototype": (options) => Object.assign(Object.create(null) as Given, options),
  frozen: (options) => Object.freeze({ ...options }),
};

for (const [name, fn] of Object.entries(PUBLIC_FUNCTIONS)) {
  describe(name, () => {
    const names = Object.keys(fn.wrong);

    test("takes what is right, in any form of a plain object", async () => {
      assert.equal(await errorOf(() => fn.call(fn.good)), null);
      for (const [form, make] of Object.entries(FORMS))
        assert.equal(await errorOf(() => fn.call(make(fn.good))), null, form);
    });

    test("refuses every wrong value by name", async () => {
      for (const [option, values] of Object.entries(fn.wrong)) {
        for (const value of values) {
          const what = `${option}: ${show(value)}`;
          const message = await refused(fn, { ...fn.good, [option]: value }, what);
          assert.ok(message.includes(option), `${what}: ${message}`);
        }
      }
    });

    test("has all of its options in the table, and names them to who misspells one", async () => {
      const message = await refused(fn, { ...fn.good, encryptionContex: {} }, "misspelt");
      const [, listed = ""] = /encryptionContex is no option here; there are: ([\w, ]+)/.exec(message) ?? [];
      assert.deepEqual(listed.split(", ").sort(), names.toSorted());
      await refused(fn, { ...fn.good, [Symbol("limits")]: 1 }, "a symbol");
    });

    test("undefined is the same as left out, everywhere", async () => {
      const all = Object.fromEntries([...names, "misspelt"].map((option) => [option, undefined]));
      assert.equal(await errorOf(() => fn.call({ ...all, ...fn.good })), null);
      for (const [path, inner] of Object.entries(fn.nested ?? {})) {
        for (const option of inner) {
          const steps = [...path.split("."), option];
          const left = steps.reduce<unknown>((value, step) => (value as Given | undefined)?.[step], fn.good);
          if (left === undefined)
            assert.equal(await errorOf(() => fn.call(changed(fn.good, steps, undefined))), null, steps.join("."));
        }
        await refused(fn, changed(fn.good, [...path.split("."), "misspelt"], 1), `${path}.misspelt`);
      }
    });

    test("refuses options that are no plain object", async () => {
      class Options {
        readonly kind = "options";
      }
      const inherited: unknown = Object.create(fn.good);
      const revoked = Proxy.revocable({}, {});
      revoked.revoke();
      const throwing = {
        get keyring(): never {
          throw new TypeError("a getter");
        },
      };
      for (const wrong of [
        null,
        0,
        "x",
        [],
        Promise.resolve(fn.good),
        new Map(Object.entries(fn.good)),
        Object.assign(new Options(), fn.good),
        inherited,
        new Proxy(fn.good, {}),
        revoked.proxy,
        throwing,
        () => fn.good,
      ])
        await refused(fn, wrong, typeof wrong);
    });

    test("a polluted Object.prototype adds nothing", async () => {
      const pollution: Given = {
        misspelt: 1,
        commitmentPolicy: "forbid-encrypt-allow-decrypt",
        suite: "ALG_AES_128_GCM_IV12_TAG16_NO_KDF",
        requiredContextKeys: ["absent"],
        signedMessages: "release-plaintext-before-its-signature-is-verified",
        limits: { encryptedDataKeys: "many" },
        maxEncryptedDataKeys: 1_000,
        minimum: 0,
        multiRegionKeys: "any-region",
        role: "substitute",
        grantTokens: [1],
        workers: {},
        time: {},
      };
      try {
        for (const [option, value] of Object.entries(pollution))
          Object.defineProperty(Object.prototype, option, { value, configurable: true, writable: true });
        assert.equal(await errorOf(() => fn.call(fn.good)), null);
      } finally {
        for (const option of Object.keys(pollution)) Reflect.deleteProperty(Object.prototype, option);
      }
    });
  });
}

test("every exported function is in the table, or has no options", async () => {
  const { exports } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    readonly exports: Readonly<Record<string, unknown>>;
  };
  const known = new Set(
    [...Object.keys(PUBLIC_FUNCTIONS), ...Object.keys(WITHOUT_OPTIONS)].map((name) => name.split(" ").at(-1)),
  );
  const forgotten: string[] = [];
  for (const entry of Object.keys(exports).filter((each) => !each.endsWith("package.json"))) {
    const names = (await import(`@strongroom/envelope${entry.slice(1)}`)) as Given;
    for (const [name, value] of Object.entries(names))
      if (typeof value === "function" && !known.has(name)) forgotten.push(`${entry} ${name}`);
  }
  assert.deepEqual(forgotten, []);
});

test("what takes no table of options refuses what is wrong all the same", () => {
  for (const wrong of [null, "x", [], new Map()]) {
    throwsWith(() => wipingAgents(wrong as never), "option-invalid");
    throwsWith(() => keysAsBytes(wrong as never), "option-invalid");
  }
  assert.equal(wipingAgents({ maxSockets: undefined }).httpAgent.maxSockets, wipingAgents().httpAgent.maxSockets);
});
