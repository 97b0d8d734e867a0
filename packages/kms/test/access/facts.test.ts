import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf } from "../../src/access/condition-keys.ts";

test("a request may carry any number of values for a condition key", () => {
  const TagKeys = Array.from({ length: 200_000 }, (_, index) => `tag-${index}`);
  const facts = factsOf({
    principal: { kind: "user", account: "111122223333", arn: "arn:aws:iam::111122223333:user/ada" },
    action: "kms:UntagResource",
    region: "eu-west-1",
    remoteAddress: "127.0.0.1",
    now: 0,
    input: { TagKeys, GrantOperations: TagKeys },
    key: null,
    aliases: TagKeys,
    context: Object.fromEntries(TagKeys.map((key) => [key, "v"])),
  } as unknown as Parameters<typeof factsOf>[0]);
  assert.equal(facts.get("aws:tagkeys")?.values.length, TagKeys.length);
  assert.equal(facts.get("kms:encryptioncontextkeys")?.values.length, TagKeys.length);
});
