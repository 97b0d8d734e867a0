/** Wrong options of createKms are refused by name, before anything is made; a polluted prototype supplies none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createKms, KmsError } from "@strongroom/kms";
import { settleOptions } from "../src/options.ts";

const NO_OBJECT = [null, 0, "x", [], Promise.resolve({}), new Map(), new Proxy({}, {}), Object.create({ host: "::" })];
const NO_TEXT = [null, "", 1, {}, []];

for (const [option, values] of Object.entries({
  dataDir: NO_TEXT,
  regions: [null, "eu-west-1", {}, [], ["eu-west-1"], [{ name: "x", port: 0 }], [{ name: "eu-west-1", port: "0" }]],
  host: NO_TEXT,
  rootKey: [null, "file", {}, { kind: "file" }, { kind: "passphrase", passphrase: "text" }],
  accountId: [...NO_TEXT, "1"],
  principalsFile: NO_TEXT,
  seed: [null, 1, () => 1],
  allowFaults: [null, true, "everywhere"],
  faultsPort: [null, "0", -1, 0],
  clock: [null, "now", {}, { now: 1 }],
  logger: [null, "info", {}],
  allowFault: ["loopback"],
})) {
  test(`createKms refuses ${option}`, async () => {
    for (const value of values)
      await assert.rejects(
        createKms({ [option]: value }),
        (error) => error instanceof KmsError && error.code === "option-invalid" && error.message.includes(option),
      );
  });
}

test("createKms refuses options that are no plain object", async () => {
  for (const wrong of NO_OBJECT) await assert.rejects(createKms(wrong as never), { code: "option-invalid" });
});

test("a polluted Object.prototype opens no control port, and undefined is the same as left out", () => {
  Object.assign(Object.prototype, { allowFaults: "loopback", faultsPort: 1 });
  try {
    assert.equal(settleOptions({ dataDir: "unused", host: undefined } as never).faultsPort, null);
  } finally {
    for (const name of ["allowFaults", "faultsPort"]) Reflect.deleteProperty(Object.prototype, name);
  }
});
