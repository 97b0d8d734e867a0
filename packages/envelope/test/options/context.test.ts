/** What is an encryption context: plain objects of strings, whole; whatever else would bind the message to less. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import vm from "node:vm";
import {
  createDecryptStream,
  createEncryptStream,
  decrypt,
  decryptStream,
  encrypt,
  encryptStream,
  rawAesKeyring,
} from "@strongroom/envelope";
import type { EncryptionContext } from "@strongroom/envelope";
import { rejectsWith, throwsWith } from "../support/errors.ts";

const keyring = rawAesKeyring({ keyNamespace: "test", keyName: "key-1", wrappingKey: randomBytes(32) });
const tenant = { tenant: "acme" };

class Tenant {
  tenant = "acme";
}

const TAKEN: Readonly<Record<string, object>> = {
  "a literal": { ...tenant },
  "of another realm": vm.runInNewContext("({ tenant: 'acme' })") as object,
  "without a prototype": Object.assign(Object.create(null) as object, tenant),
  "groups of a regular expression": /(?<tenant>acme)/.exec("acme")?.groups ?? {},
  "parsed JSON": JSON.parse('{"tenant":"acme"}') as object,
  frozen: Object.freeze({ ...tenant }),
  "a getter of its own, read once": {
    get tenant() {
      return "acme";
    },
  },
};

const REFUSED: Readonly<Record<string, unknown>> = {
  "left out": undefined,
  null: null,
  "a string": "tenant=acme",
  "a number": 1,
  "a Map": new Map(Object.entries(tenant)),
  "a Map of another realm": vm.runInNewContext("new Map([['tenant', 'acme']])"),
  "a forgotten await": Promise.resolve(tenant),
  "URL parameters": new URLSearchParams(tenant),
  "HTTP headers": new Headers(tenant),
  "an array": [["tenant", "acme"]],
  "an array of another realm": vm.runInNewContext("[['tenant', 'acme']]"),
  "a function": Object.assign(() => 1, tenant),
  "a class instance": new Tenant(),
  "an error": Object.assign(new Error("x"), tenant),
  "inherited keys": Object.create(tenant),
  "inherited keys, no prototype above": Object.create(Object.assign(Object.create(null) as object, tenant)),
  "a Proxy": new Proxy(tenant, {}),
  "a revoked Proxy": (({ proxy, revoke }) => {
    revoke();
    return proxy;
  })(Proxy.revocable({}, {})),
  "a module": await import("node:path"),
  "a boxed string": new String("acme"),
  "a date": new Date(0),
  "a symbol for a key": { ...tenant, [Symbol("id")]: "1" },
  "a hidden key": Object.defineProperty({ ...tenant }, "id", { value: "1", enumerable: false }),
  "a getter that throws": {
    get tenant(): never {
      throw new TypeError("no");
    },
  },
  ...Object.fromEntries(
    [
      undefined,
      null,
      1,
      true,
      1n,
      Symbol("s"),
      {},
      [],
      ["acme"],
      new String("acme"),
      Buffer.from("acme"),
      () => "acme",
      Promise.resolve("acme"),
    ].map((value, index) => [`the value no. ${index}`, { tenant: value }]),
  ),
  "a lone surrogate": { tenant: "\ud800" },
  "a reserved key": { "aws-crypto-public-key": "x" },
};

describe("an encryption context", () => {
  for (const [what, context] of Object.entries(TAKEN)) {
    test(`is taken: ${what}`, async () => {
      const { message, encryptionContext } = await encrypt(Buffer.from("x"), {
        keyring,
        encryptionContext: context as EncryptionContext,
      });
      assert.deepEqual({ ...encryptionContext }, tenant);
      await decrypt(message, { keyring, encryptionContext: tenant });
      await rejectsWith(decrypt(message, { keyring, encryptionContext: {} }), "context-mismatch");
    });
  }

  for (const [what, context] of Object.entries(REFUSED)) {
    test(`is refused: ${what}`, async () => {
      const options = { keyring, encryptionContext: context as EncryptionContext };
      const { message } = await encrypt(Buffer.from("x"), { keyring, encryptionContext: {} });
      await rejectsWith(encrypt(Buffer.from("x"), options), "option-invalid");
      await rejectsWith(decrypt(message, options), "option-invalid");
      for (const stream of [createEncryptStream, encryptStream, createDecryptStream, decryptStream])
        throwsWith(() => stream(options), "option-invalid");
    });
  }

  test("is read once: what it says later, or is changed to, is not what the message is bound to", async () => {
    const context = { ...tenant };
    const pending = encrypt(Buffer.from("x"), { keyring, encryptionContext: context });
    context.tenant = "other";
    const { message, encryptionContext } = await pending;
    assert.deepEqual(encryptionContext, tenant);
    let reads = 0;
    const fickle = {
      get tenant() {
        return reads++ === 0 ? "acme" : "other";
      },
    };
    const opened = await decrypt(message, { keyring, encryptionContext: fickle });
    assert.deepEqual([opened.encryptionContext, reads], [tenant, 1]);
  });

  test("a polluted Object.prototype neither supplies an entry nor takes one away", async () => {
    Object.defineProperty(Object.prototype, "tenant", { value: "acme", configurable: true, enumerable: true });
    try {
      const { message } = await encrypt(Buffer.from("x"), { keyring, encryptionContext: {} });
      await rejectsWith(decrypt(message, { keyring, encryptionContext: { tenant: "acme" } }), "context-mismatch");
      await rejectsWith(
        encrypt(Buffer.from("x"), { keyring, encryptionContext: {}, requiredContextKeys: ["tenant"] }),
        "option-invalid",
      );
    } finally {
      Reflect.deleteProperty(Object.prototype, "tenant");
    }
  });
});
