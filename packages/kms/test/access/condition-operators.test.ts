import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { holds, isConditionOperator } from "../../src/access/condition-operators.ts";
import { FactSheet } from "../../src/access/facts.ts";
import { like } from "../../src/access/patterns.ts";

const sheet = new FactSheet();
sheet.single("one", "a");
sheet.multi("many", ["a", "b"]);
sheet.multi("empty", []);
sheet.single("ip", "10.1.2.3");
sheet.single("time", "2026-01-01T00:00:00Z");
sheet.single("arn", "arn:aws:iam::1:user/x");
const check = (operator: string, key: string, ...values: string[]): boolean =>
  holds({ operator, key, values }, sheet.facts, { effect: "Allow", variables: true });

test("each operator, for a value that fits, one that does not, and an absent key", () => {
  const cases: [operator: string, key: string, fits: string, not: string, whenAbsent: boolean][] = [
    ["StringEquals", "one", "a", "A", false],
    ["StringNotEquals", "one", "b", "a", true],
    ["StringEqualsIgnoreCase", "one", "A", "b", false],
    ["StringLike", "one", "?", "b*", false],
    ["StringNotLike", "one", "b*", "*", true],
    ["ArnLike", "arn", "arn:aws:iam::*:user/*", "arn:*", false],
    ["ArnNotLike", "arn", "arn:aws:iam::2:*", "arn:aws:iam::1:user/?", true],
    ["IpAddress", "ip", "10.1.0.0/16", "10.2.0.0/16", false],
    ["NotIpAddress", "ip", "192.168.0.0/16", "10.0.0.0/8", true],
    ["DateLessThan", "time", "2026-01-02T00:00:00Z", "2025-12-31T00:00:00Z", false],
    ["StringEqualsIfExists", "one", "a", "b", true],
  ];
  for (const [operator, key, fits, not, whenAbsent] of cases) {
    assert.equal(check(operator, key, fits), true, `${operator} fits`);
    assert.equal(check(operator, key, not), false, `${operator} does not fit`);
    assert.equal(check(operator, "absent", fits), whenAbsent, `${operator} absent`);
  }
  assert.equal(check("Null", "absent", "true"), true);
  assert.equal(check("Null", "one", "true"), false);
  assert.equal(check("Null", "one", "false"), true);
});

test("several values: any for a plain operator, none for a negated one, all and some for the set operators", () => {
  assert.equal(check("StringEquals", "many", "b", "c"), true);
  assert.equal(check("StringNotEquals", "many", "b"), false);
  assert.equal(check("ForAllValues:StringEquals", "many", "a"), false);
  assert.equal(check("ForAllValues:StringEquals", "many", "a", "b", "c"), true);
  assert.equal(check("ForAllValues:StringEquals", "empty", "x"), true);
  assert.equal(check("ForAnyValue:StringEquals", "many", "b"), true);
  assert.equal(check("ForAnyValue:StringEquals", "absent", "b"), false);
});

test("an operator that is not known is not one, and holds for nothing", () => {
  for (const operator of ["StringSameAs", "", "ForSomeValues:StringEquals", "BoolIf", "toString", "constructor"]) {
    assert.equal(isConditionOperator(operator), false, operator);
    assert.equal(check(operator, "one", "a"), false);
  }
});

test("patterns mean what the regular expression for them means", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", ":", "*", "?"), maxLength: 8 });
  fc.assert(
    fc.property(text, text, (value, pattern) => {
      const expression = pattern
        .replace(/[.+^${}()|[\]\\]/g, "\\$&")
        .replaceAll("*", "[^]*")
        .replaceAll("?", "[^]");
      assert.equal(like(value, pattern), new RegExp(`^${expression}$`).test(value));
    }),
  );
});
