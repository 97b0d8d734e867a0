// `policy test` decides as the server does: the same table of condition keys, on requests that nobody makes.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { explain, storedKey } from "../../src/access/explain.ts";
import { defaultKeyPolicy } from "../../src/access/policy.ts";
import type { ExplainedKey } from "../../src/access/supposition.ts";
import { bench } from "../behaviours/behaviour.ts";
import type { Members } from "../behaviours/behaviour.ts";
import { ACCOUNT, temporaryDirectory } from "../running-kms.ts";
import { CONDITIONS } from "./condition-table.ts";
import type { Sight } from "./condition-row.ts";
import { Users } from "./world.ts";

const OPERATORS = {
  String: "StringLike",
  Bool: "Bool",
  Numeric: "NumericEquals",
  Date: "DateEquals",
  ARN: "ArnLike",
  ArrayOfString: "ForAnyValue:StringLike",
} as const;
const ANY_KEY: ExplainedKey = { kind: "policy", text: defaultKeyPolicy(ACCOUNT) };

/** Whether the request itself says all that the condition key sees: no key, grant or ciphertext is needed. */
const speaksForItself = ({ shown, byAlias }: Sight): boolean => byAlias === undefined && /^(?:\{.+\})?$/.test(shown);
const STORED = new Set(["kms:TrailingDaysWithoutKeyUsage", "kms:ReEncryptOnSameKey"]);

const CONTEXTS = ["EncryptionContext", "SourceEncryptionContext", "DestinationEncryptionContext"];
const contextOf = (members: Members): Record<string, string> =>
  CONTEXTS.map((member) => members[member] as Record<string, string> | undefined).find(Boolean) ?? {};

test("a supposed request has the condition keys of a real one, given and left out", async (t) => {
  const users = new Users();
  const everything = { Effect: "Allow", Action: "kms:*", Resource: "*" };
  const cases = CONDITIONS.flatMap(({ key, type, permission, given, leftOut }) =>
    [given, leftOut].flatMap((sight) => {
      if (typeof sight?.value !== "string" || STORED.has(key) || !speaksForItself(sight)) return [];
      const on = (value: string): object => ({ Condition: { [OPERATORS[type]]: { [key]: value } } });
      const asked = { key, permission, members: sight.members ?? {}, shown: sight.shown };
      return [
        { ...asked, user: users.with({ ...everything, ...on(sight.value) }), expected: "allow" },
        { ...asked, user: users.with({ ...everything, ...on(sight.other) }), expected: "deny" },
        {
          ...asked,
          user: users.with(everything, { ...everything, Effect: "Deny", ...on(sight.value) }),
          expected: "deny",
        },
      ];
    }),
  );
  const principalsFile = join(await temporaryDirectory(t), "principals.json");
  writeFileSync(principalsFile, users.toFile(), { mode: 0o600 });
  for (const { key, permission, members, shown, user, expected } of cases) {
    const { decision } = explain({
      key: ANY_KEY,
      principalArn: user.arn,
      principalsFile: { path: principalsFile, others: "may-not-read" },
      action: permission,
      context: contextOf(members),
      input: members,
      sourceIp: "127.0.0.1",
    });
    assert.equal(decision.kind, expected, `${permission} ${shown}: ${key}`);
  }
  assert.ok(cases.length > 200, String(cases.length));
});

test("of a stored key, its aliases, its last use and the other key of ReEncrypt are seen", async (t) => {
  const dataDir = await temporaryDirectory(t);
  const b = await bench(t, { dataDir });
  const { KeyId } = await b.key();
  await b.ok("CreateAlias", { AliasName: "alias/orders", TargetKeyId: KeyId });
  await b.ok("Encrypt", { KeyId, Plaintext: "YQ==" });
  await b.kms.close();
  const key = await storedKey(dataDir, "alias/orders");
  assert.notEqual(key.lastUsedAt, null);
  const users = new Users();
  const allowedIf = (Condition: object): string =>
    users.with({ Effect: "Allow", Action: "kms:*", Resource: "*", Condition }).arn;
  const cases: [condition: object, action: string, input: Members, expected: string][] = [
    [{ "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/orders" } }, "Encrypt", {}, "allow"],
    [{ NumericEquals: { "kms:TrailingDaysWithoutKeyUsage": 0 } }, "DisableKey", {}, "allow"],
    [{ NumericGreaterThan: { "kms:TrailingDaysWithoutKeyUsage": 0 } }, "DisableKey", {}, "deny"],
    [{ Bool: { "kms:ReEncryptOnSameKey": true } }, "ReEncryptTo", { SourceKeyId: "alias/orders" }, "allow"],
    [{ Bool: { "kms:ReEncryptOnSameKey": true } }, "ReEncryptFrom", { DestinationKeyId: "alias/other" }, "deny"],
    [{ StringEquals: { "kms:RequestAlias": "alias/orders" } }, "Encrypt", { KeyId: "alias/orders" }, "allow"],
    [{ StringEquals: { "kms:RequestAlias": "alias/orders" } }, "Encrypt", { KeyId }, "deny"],
    [
      { StringEquals: { "kms:EncryptionContext:a": "1" } },
      "CreateGrant",
      { Constraints: { EncryptionContextSubset: { a: "1" } } },
      "allow",
    ],
  ];
  const asked = cases.map(([condition, action, input, expected]) => ({
    principalArn: allowedIf(condition),
    action: `kms:${action}`,
    input,
    expected,
  }));
  const principalsFile = join(dataDir, "principals.json");
  writeFileSync(principalsFile, users.toFile(), { mode: 0o600 });
  for (const { expected, ...supposed } of asked) {
    const { decision } = explain({
      ...supposed,
      key,
      principalsFile: { path: principalsFile, others: "may-not-read" },
      context: {},
      sourceIp: "127.0.0.1",
    });
    assert.equal(decision.kind, expected, JSON.stringify(supposed));
  }
});

test("an action that is about no key is asked of no key policy, and needs none", () => {
  const supposed = { principalsFile: null, context: {}, input: {}, sourceIp: "127.0.0.1", action: "kms:CreateKey" };
  const root = `arn:aws:iam::${ACCOUNT}:root`;
  const user = root.replace("root", "user/ann");
  const allowsAnn = JSON.stringify({
    Statement: { Effect: "Allow", Principal: { AWS: user }, Action: "kms:*", Resource: "*" },
  });
  assert.equal(explain({ ...supposed, key: { kind: "none" }, principalArn: root }).decision.kind, "allow");
  assert.equal(
    explain({ ...supposed, key: { kind: "policy", text: allowsAnn }, principalArn: user }).decision.kind,
    "deny",
  );
  assert.throws(
    () => explain({ ...supposed, action: "kms:Encrypt", key: { kind: "none" }, principalArn: root }),
    /is about a key: give --key or --policy/,
  );
});
