// Every constraint of the KMS service model, member by member, against the shapes here: a limit that differs, a
// pattern of other text, a member that is missing or too much is seen.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OPERATIONS } from "../../src/operations/table.ts";
import { AwsError } from "../../src/protocol/aws-error.ts";
import { readInput } from "../../src/protocol/shape.ts";
import type { Json } from "../../src/protocol/shape.ts";
import { bench } from "../behaviours/behaviour.ts";
import { SERVICE, casesOf } from "./service-model.ts";
import type { Case } from "./service-model.ts";

const byName = new Map([...OPERATIONS.values()].map((operation) => [operation.name, operation]));

/** What reading an input says: null if it is taken. */
function refusal(operation: string, input: unknown): AwsError | null {
  try {
    readInput(byName.get(operation)!.input, input as Json);
    return null;
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}

const enumOf = (message: string): readonly string[] =>
  /enum value set: \[([^\]]*)\]/.exec(message)![1]!.split(", ").toSorted();

function check(operation: string, { what, input, expected }: Case): void {
  const at = `${operation} ${what}`;
  const refused = refusal(operation, input);
  switch (expected.kind) {
    case "taken":
      // A value that is only as long as it may be can still break the pattern.
      if (refused !== null && !/regular expression|enum/.test(refused.message))
        assert.fail(`${at}: ${refused.message}`);
      return;
    case "serialization":
      assert.equal(refused?.type, "SerializationException", at);
      assert.equal(refused.message, expected.text, at);
      return;
    case "constraint":
      assert.equal(refused?.type, "ValidationException", at);
      assert.ok(refused.message.includes(`detected: ${expected.text}`), `${at}\n${refused.message}\n${expected.text}`);
      if (expected.enum !== undefined) assert.deepEqual(enumOf(refused.message), expected.enum.toSorted(), at);
  }
}

void test("the operations are those of the service model", () => {
  assert.deepEqual([...byName.keys()].toSorted(), Object.keys(SERVICE.operations).toSorted());
});

for (const operation of Object.keys(SERVICE.operations)) {
  void test(`${operation}: every member is held to the service model`, () => {
    for (const one of casesOf(operation)) check(operation, one);
  });

  void test(`${operation}: members that the service model does not know are ignored`, () => {
    const known = casesOf(operation).map(({ input }) => input as Record<string, unknown>);
    const names = new Set(known.flatMap((input) => Object.keys(input)));
    const everyName = new Set(
      Object.keys(SERVICE.operations)
        .flatMap((other) => casesOf(other))
        .flatMap(({ input }) => Object.keys(input as object)),
    );
    const valid = known.find((input) => refusal(operation, input) === null) ?? {};
    for (const name of [...everyName, "constructor", "hasOwnProperty", "toString"].filter((one) => !names.has(one)))
      assert.equal(refusal(operation, { ...valid, [name]: { x: [1] } }), null, `${operation} ${name}`);
  });
}

void test("over the wire: several errors at once, nulls as absent, prototypes without a meaning", async (t) => {
  const b = await bench(t);
  assert.deepEqual(await b.refused("CreateAlias", { AliasName: "", TargetKeyId: null, __proto__: null }), [
    "ValidationException",
    "3 validation errors detected: Value '' at 'aliasName' failed to satisfy constraint: Member must have length " +
      "greater than or equal to 1; Value '' at 'aliasName' failed to satisfy constraint: Member must satisfy regular " +
      "expression pattern: ^[a-zA-Z0-9:/_-]+$; Value null at 'targetKeyId' failed to satisfy constraint: Member must " +
      "not be null",
  ]);
  await b.ok("ListKeys", { Limit: null, Marker: null });
  assert.equal((await b.wire("ListKeys", `{"__proto__":{"Limit":0},"constructor":1}`)).status, 200);
});
