import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fieldText, parseField, withField } from "../../src/formats/document.ts";

describe("field of a document", () => {
  it("is read by its path, a dot in a name written with a backslash", () => {
    assert.deepEqual(fieldText({ person: { id: "7" } }, parseField("person.id")), { kind: "text", text: "7" });
    assert.deepEqual(fieldText({ "a.b": 7 }, parseField("a\\.b")), { kind: "text", text: "7" });
  });

  const problems: readonly {
    readonly what: string;
    readonly document: Record<string, unknown>;
    readonly reason: string;
  }[] = [
    { what: "absent", document: {}, reason: "is missing" },
    {
      what: "only inherited",
      document: JSON.parse('{"__proto__":{"id":1}}') as Record<string, unknown>,
      reason: "is missing",
    },
    { what: "empty", document: { id: "" }, reason: "is empty" },
    { what: "no text", document: { id: [1] }, reason: "is neither a text nor a whole number" },
    { what: "a fraction", document: { id: 1.5 }, reason: "is neither a text nor a whole number" },
  ];
  for (const { what, document, reason } of problems) {
    it(`is refused when it is ${what}`, () => {
      assert.deepEqual(fieldText(document, ["id"]), { kind: "problem", reason });
    });
  }

  it("is added in front where it is absent, left alone where it fits, refused where it holds something else", () => {
    assert.deepEqual(Object.entries(withField({ a: 1 }, ["id"], "7") ?? {}), [
      ["id", "7"],
      ["a", 1],
    ]);
    assert.deepEqual(withField({ id: 7 }, ["id"], "7"), { id: 7 });
    assert.equal(withField({ id: "8" }, ["id"], "7"), null);
    assert.deepEqual(withField({ person: { x: 1 } }, ["person", "id"], "7"), { person: { id: "7", x: 1 } });
    assert.equal(withField({ person: "p" }, ["person", "id"], "7"), null);
  });
});
