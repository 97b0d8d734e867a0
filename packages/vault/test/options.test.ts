/** Wrong options are refused before anything is done: a condition that is misspelt is a condition not in force. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { isVaultError, openVault } from "@strongroom/vault";
import type { Vault } from "@strongroom/vault";
import { overlaid } from "./support/store-with.ts";
import { testVault } from "./support/vault.ts";

const address = { collection: "people", id: "42" };
const document = { name: "Ada" };

/** Call -> how it is made with options, by the vault and by a typed collection. */
const CALLS: Readonly<Record<string, (vault: Vault, options: never) => readonly Promise<unknown>[]>> = {
  put: (vault, options) => [
    vault.put(address, document, options),
    vault.collection("people").put("42", document, options),
  ],
  putMany: (vault, options) => [
    vault.putMany("people", [{ id: "42", document }], options),
    vault.collection("people").putMany([{ id: "42", document }], options),
  ],
  get: (vault, options) => [vault.get(address, options), vault.collection("people").get("42", options)],
  remove: (vault, options) => [vault.remove(address, options), vault.collection("people").remove("42", options)],
  list: (vault, options) => [vault.list("people", options), vault.collection("people").list(options)],
  debts: (vault, options) => [vault.debts(options)],
  "indexes.plan": (vault, options) => [vault.indexes.plan(options)],
  retention: (vault, options) => [vault.retention.plan(options), vault.retention.run(options)],
};

class Options {
  readonly expect = { kind: "absent" };
}

const NO_OPTIONS: readonly unknown[] = [null, "absent", 1, [], new Map(), new Options(), new Proxy({}, {}), () => ({})];
const NO_SIGNAL: readonly unknown[] = [null, "x", {}, new AbortController(), { aborted: false }];
const NO_EXPECTATION: readonly unknown[] = [
  null,
  "absent",
  1,
  [],
  {},
  { kind: "versoin", version: 1 },
  { kind: "Absent" },
  { kind: "toString" },
  { kind: "version" },
  { kind: "version", version: undefined },
  { kind: "version", vresion: 1 },
  { kind: "absent", version: 1 },
  { kind: ["absent"] },
  new Options(),
];

/** Call -> option -> values that it does not take. Names that no call has are misspelt ones. */
const WRONG: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>> = {
  put: {
    expect: NO_EXPECTATION,
    signal: NO_SIGNAL,
    expected: [{ kind: "absent" }],
    ifVersion: [1],
    onExisting: ["keep"],
  },
  putMany: {
    onExisting: [null, undefined, "Replace", "merge", 1, ["keep"], {}],
    signal: NO_SIGNAL,
    expect: [{ kind: "absent" }],
    onExsiting: ["keep"],
  },
  get: { signal: NO_SIGNAL, vresion: [1], expect: [{ kind: "present" }] },
  remove: { expect: NO_EXPECTATION, signal: [new AbortController().signal], version: [1] },
  list: { after: ["x"], limits: [1] },
  debts: { after: ["x"], limits: [1] },
  "indexes.plan": { signal: NO_SIGNAL, documents: ["no", 1, null], colection: ["people"] },
  retention: { signal: NO_SIGNAL, until: ["2026-01-01"] },
};

async function written(t: TestContext): Promise<Vault> {
  const { vault } = await testVault(t);
  await vault.put(address, { name: "before" });
  return vault;
}

/** The rest of the options is right, so that the one that is wrong is what is refused. */
const oneWrong = (call: string, name: string, value: unknown): never =>
  ({ ...(call === "putMany" ? { onExisting: "replace" } : {}), [name]: value }) as never;

for (const [call, options] of Object.entries(WRONG)) {
  test(`${call} refuses options that are none, misspelt ones and wrong ones, and changes nothing`, async (t) => {
    const vault = await written(t);
    const refuses = async (given: unknown, shown: string): Promise<void> => {
      for (const made of CALLS[call]?.(vault, given as never) ?? [])
        await assert.rejects(made, (error) => isVaultError(error) && error.code === "vault-option-invalid", shown);
    };
    for (const given of NO_OPTIONS) await refuses(given, String(given));
    for (const [name, values] of Object.entries(options))
      for (const value of values) await refuses(oneWrong(call, name, value), `${name}: ${JSON.stringify(value)}`);
    assert.deepEqual((await vault.get(address)).document, { name: "before" });
    assert.equal((await vault.history(address)).length, 1);
  });

  test(`${call} takes undefined for left out, and nothing from a polluted prototype`, async (t) => {
    const vault = await written(t);
    const names = Object.keys(options).filter((name) => name !== "onExisting");
    Object.defineProperty(Object.prototype, "expect", { value: { kind: "absent" }, configurable: true });
    try {
      const made = names.flatMap((name) => CALLS[call]?.(vault, oneWrong(call, name, undefined)) ?? []);
      for (const ended of await Promise.allSettled(made))
        if (ended.status === "rejected") assert.equal((ended.reason as { code: string }).code, "record-absent");
    } finally {
      Reflect.deleteProperty(Object.prototype, "expect");
    }
  });
}

test("the work on indexes refuses misspelt and wrong options before it is begun", async (t) => {
  const { indexes } = await written(t);
  for (const wrong of [...NO_OPTIONS, { colection: "people" }, { signal: "x" }, { onProgress: 1 }])
    for (const made of [indexes.apply(wrong as never), indexes.rotateKey(wrong as never)])
      await assert.rejects(made, { code: "vault-option-invalid" }, JSON.stringify(wrong));
  await assert.rejects(indexes.rotateKey({ collection: "people" } as never), { code: "vault-option-invalid" });
});

test("items of a batch are a list of plain objects with no other members", async (t) => {
  const vault = await written(t);
  const wrong = [
    null,
    {},
    "x",
    [null],
    [[]],
    [{ id: "1", documnet: {} }],
    [{ id: "1", document, subjcet: "x" }],
    [{ document }],
  ];
  for (const items of wrong) {
    const batch = vault.putMany("people", items as never, { onExisting: "replace" });
    await assert.rejects(batch, { code: "vault-option-invalid" }, JSON.stringify(items));
  }
  assert.equal((await vault.list("people")).items.length, 1);
});

test("openVault refuses what it does not know, and what is no store, keyring or clock", async (t) => {
  const { store, keyring } = await testVault(t);
  const right = { store, keyring };
  for (const wrong of [
    null,
    [],
    { store },
    { keyring },
    { ...right, store: {} },
    { ...right, store: overlaid(store, { indexes: undefined as never }) },
    { ...right, keyring: null },
    { ...right, clock: 5 },
    { ...right, repiar: {} },
    { ...right, limit: {} },
    { ...right, retention: null },
    { ...right, retention: { lookms: 1 } },
    { ...right, retention: { lookMs: 0 } },
    { ...right, retention: { lookMs: "1000" } },
    // A timer takes no more, and would not wait at all.
    { ...right, retention: { lookMs: 2 ** 31 } },
    { ...right, retention: { onFault: "log" } },
  ])
    await assert.rejects(openVault(wrong as never), { code: "vault-option-invalid" });
});
