/** Wrong options of createServer are refused by name, before anything is made. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createServer, ServerError } from "@strongroom/server";

const methods = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, () => undefined]));
const good = {
  vault: methods("get", "put", "putMany", "remove", "list", "ping"),
  tokens: methods("verify"),
  regions: { minimum: 0, health: () => [] },
};
const NO_OBJECT = [null, 0, "x", [], Promise.resolve(good), new Map(), new Proxy(good, {})];

for (const [option, values] of Object.entries({
  vault: [...NO_OBJECT, {}, undefined],
  tokens: [...NO_OBJECT, {}, undefined],
  regions: [...NO_OBJECT, {}, undefined],
  logger: [...NO_OBJECT, {}],
  limits: [...NO_OBJECT, { documentBytes: 0 }, { documentBytes: "1" }, { documentBytes: NaN }, { documentBits: 1 }],
  collections: [null, "people", {}, [1]],
  colections: [["people"]],
  hosts: [null, "a.example", [1], ["a.example:8200"], ["https://a.example"], ["*.example"], ["bücher.example"], [""]],
})) {
  test(`createServer refuses ${option}`, async () => {
    for (const value of values) {
      const wrong = createServer({ ...good, [option]: value } as never);
      await assert.rejects(
        wrong,
        (error) => error instanceof ServerError && error.code === "option-invalid" && error.message.includes(option),
      );
    }
  });
}

test("createServer refuses options that are no plain object", async () => {
  for (const wrong of [undefined, ...NO_OBJECT, Object.create(good)])
    await assert.rejects(createServer(wrong as never), { code: "option-invalid" });
});
