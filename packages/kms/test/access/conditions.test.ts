// The table of condition keys, asked of the server: an Allow and a Deny on the value that the key says, and on another.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bench } from "../behaviours/behaviour.ts";
import type { Credentials } from "../signed-call.ts";
import { CONDITIONS, NULL_IF_LEFT_OUT, OF_EVERY_KEY, OF_EVERY_REQUEST, OF_NO_REQUEST } from "./condition-table.ts";
import type { ConditionRow, ConditionType, Sight } from "./condition-row.ts";
import { PERMISSIONS } from "./permission-table.ts";
import { prepare } from "./requests.ts";
import { verdictOf, withUsers } from "./world.ts";
import type { KeyProperties, PolicyStatement, Prepared, Send, Users } from "./world.ts";

const OPERATORS: Readonly<Record<ConditionType, string>> = {
  String: "StringLike",
  Bool: "Bool",
  Numeric: "NumericEquals",
  Date: "DateEquals",
  ARN: "ArnLike",
  ArrayOfString: "ForAnyValue:StringLike",
};
const equal = (type: ConditionType, key: string, value: string): object => ({ [OPERATORS[type]]: { [key]: value } });
const isNull = (key: string, answer: boolean): object => ({ Null: { [key]: answer } });

/** One request of one user, and what must come of it. */
interface Attempt {
  readonly name: string;
  readonly request: Prepared;
  readonly user: Credentials;
  readonly expected: "allowed" | "denied";
}

/** May everything, but this action only if the condition holds. */
const allowIf = (users: Users, Action: string, Condition: object): Credentials =>
  users.with(
    { Effect: "Allow", NotAction: Action, Resource: "*" },
    { Effect: "Allow", Action, Resource: "*", Condition },
  );
const EVERYTHING: PolicyStatement = { Effect: "Allow", Action: "kms:*", Resource: "*" };
/** May everything, unless the condition holds. */
const denyIf = (users: Users, Action: string, Condition: object): Credentials =>
  users.with(EVERYTHING, { Effect: "Deny", Action, Resource: "*", Condition });

async function attemptsOn(
  b: Bench,
  users: Users,
  { key, type, permission }: ConditionRow,
  sight: Sight,
): Promise<Attempt[]> {
  const fresh = (): Promise<Prepared> => prepare(b, sight.request, sight.members, sight.byAlias);
  const [first, second] = [await fresh(), await fresh()];
  const on = (value: string): object => equal(type, key, value);
  const attempt = (name: string, request: Prepared, user: Credentials, expected: Attempt["expected"]): Attempt => ({
    name: `${permission} ${sight.shown || "with the parameter left out"}: ${name} on ${key}`,
    request,
    user,
    expected,
  });
  // Those that are denied leave the request as it is for the one that is allowed.
  if (sight.value === null)
    return [
      attempt(`Allow ${sight.other}`, first, allowIf(users, permission, on(sight.other)), "denied"),
      attempt("Deny Null", first, denyIf(users, permission, isNull(key, true)), "denied"),
      attempt(`Deny ${sight.other}`, first, denyIf(users, permission, on(sight.other)), "allowed"),
      attempt("Allow Null", second, allowIf(users, permission, isNull(key, true)), "allowed"),
    ];
  return [
    attempt(`Allow ${sight.other}`, first, allowIf(users, permission, on(sight.other)), "denied"),
    attempt(`Deny ${sight.value}`, first, denyIf(users, permission, on(sight.value)), "denied"),
    attempt(`Allow ${sight.value}`, first, allowIf(users, permission, on(sight.value)), "allowed"),
    attempt(`Deny ${sight.other}`, second, denyIf(users, permission, on(sight.other)), "allowed"),
  ];
}

/** So many groups of attempts are under way at once. */
const AT_ONCE = 16;

/** Sends those of each group in turn, and says which went otherwise than expected. */
async function surprises(groups: readonly (readonly Attempt[])[], send: Send): Promise<string[]> {
  const left = groups.values();
  const wrong: string[] = [];
  const work = async (): Promise<void> => {
    for (const attempts of left)
      for (const { name, request, user, expected } of attempts) {
        const verdict = verdictOf(await send(request, user), request);
        if (verdict !== expected) wrong.push(`${name}: ${verdict}, not ${expected}`);
      }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return wrong.toSorted();
}

test("every condition key on a parameter, given and left out, allows and denies", async (t) => {
  const { prepared, send } = await withUsers(t, async (b, users) => {
    const groups: Attempt[][] = [];
    for (const row of CONDITIONS)
      for (const sight of [row.given, row.leftOut])
        if (sight !== null) groups.push(await attemptsOn(b, users, row, sight));
    return groups;
  });
  assert.ok(prepared.flat().length > 500, String(prepared.flat().length));
  assert.deepEqual(await surprises(prepared, send), []);
});

test("Null finds a parameter left out although its default is seen, where AWS says so", async (t) => {
  const { prepared, send } = await withUsers(t, async (b, users) => {
    const groups: Attempt[][] = [];
    for (const { key, permission, leftOut } of CONDITIONS) {
      if (typeof leftOut?.value !== "string") continue;
      const request = await prepare(b, leftOut.request);
      const holds = NULL_IF_LEFT_OUT.has(key);
      const name = `${permission}: Null on ${key}`;
      groups.push([
        { name, request, user: denyIf(users, permission, isNull(key, holds)), expected: "denied" },
        { name, request, user: allowIf(users, permission, isNull(key, !holds)), expected: "denied" },
      ]);
    }
    return groups;
  });
  assert.deepEqual(await surprises(prepared, send), []);
});

/** What the key of a request is like, as `OF_EVERY_KEY` asks. */
const propertyOf = (key: KeyProperties, name: (typeof OF_EVERY_KEY)[number]): [ConditionType, string, string] => {
  switch (name) {
    case "kms:CallerAccount":
      return ["String", key.arn.split(":")[4]!, "111122223333"];
    case "kms:KeySpec":
    case "kms:CustomerMasterKeySpec":
      return ["String", key.spec, "other"];
    case "kms:KeyUsage":
    case "kms:CustomerMasterKeyUsage":
      return ["String", key.usage, "other"];
    case "kms:KeyOrigin":
      return ["String", key.origin, "other"];
    case "kms:MultiRegion":
      return ["Bool", "true", "false"];
    case "kms:MultiRegionKeyType":
      return ["String", "PRIMARY", "REPLICA"];
    case "kms:ResourceAliases":
      return ["ArrayOfString", "alias/new-*", "alias/other-*"];
    case "aws:ResourceTag/team":
      return ["String", "a", "b"];
  }
};

/** All of the conditions at once. */
function allOf(conditions: readonly object[]): Record<string, object> {
  const merged: Record<string, object> = {};
  for (const condition of conditions)
    for (const [operator, keys] of Object.entries(condition)) merged[operator] = { ...merged[operator], ...keys };
  return merged;
}
const NOTHING_ELSE = { Null: Object.fromEntries(OF_NO_REQUEST.map((name) => [name, true])) };
const SEEN = allOf([...OF_EVERY_REQUEST.map(([name, type, value]) => equal(type, name, value)), NOTHING_ELSE]);

test("every operation sees what its key and its caller are like, and nothing that is not there", async (t) => {
  const { prepared, send } = await withUsers(t, async (b, users) => {
    const groups: Attempt[][] = [];
    for (const operation of Object.keys(PERMISSIONS)) {
      const request = await prepare(b, operation);
      const { key } = request;
      const properties = key === null ? [] : OF_EVERY_KEY.map((name) => [name, ...propertyOf(key, name)] as const);
      const attempts = [...properties, ...OF_EVERY_REQUEST].flatMap(([name, type, value, other]): Attempt[] => {
        const deny = denyIf(users, "kms:*", equal(type, name, value));
        const onlyIf = users.with({ ...EVERYTHING, Condition: equal(type, name, other) });
        const label = `${operation}: ${name} is`;
        return [
          { name: `${label} ${value}`, request, user: deny, expected: "denied" },
          { name: `${label} not ${other}`, request, user: onlyIf, expected: "denied" },
        ];
      });
      const user = users.with({ ...EVERYTHING, Condition: SEEN });
      groups.push([...attempts, { name: `${operation}: all at once`, request, user, expected: "allowed" }]);
    }
    return groups;
  });
  assert.ok(prepared.flat().length > 1000, String(prepared.flat().length));
  assert.deepEqual(await surprises(prepared, send), []);
});

test("conditions on who calls, from where, with what and when", async (t) => {
  const pairs: readonly (readonly [fits: object, not: object])[] = [
    [{ IpAddress: { "aws:SourceIp": "127.0.0.0/8" } }, { NotIpAddress: { "aws:SourceIp": "127.0.0.0/8" } }],
    [{ StringLike: { "aws:UserAgent": "*" } }, { Null: { "aws:UserAgent": true } }],
    [
      { DateGreaterThan: { "aws:CurrentTime": "2020-01-01T00:00:00Z" } },
      { DateGreaterThan: { "aws:CurrentTime": "9999-01-01T00:00:00Z" } },
    ],
    [{ NumericGreaterThan: { "aws:EpochTime": 1577836800 } }, { NumericLessThan: { "aws:EpochTime": 1577836800 } }],
    [
      { DateGreaterThan: { "aws:EpochTime": "2020-01-01T00:00:00Z" } },
      { DateLessThan: { "aws:EpochTime": "2020-01-01T00:00:00Z" } },
    ],
    [{ StringLike: { "aws:userid": "user-*" } }, { StringLike: { "aws:userid": "AIDA*" } }],
    [{ StringLike: { "AWS:UserName": "user-*" } }, { StringNotLike: { "AWS:UserName": "user-*" } }],
    [
      { StringEquals: { "aws:RequestedRegion": "eu-west-1" } },
      { StringNotEquals: { "aws:RequestedRegion": "eu-west-1" } },
    ],
  ];
  const { prepared, send } = await withUsers(t, async (b, users) => {
    const request = await prepare(b, "DescribeKey");
    const attempt = (user: Credentials, expected: Attempt["expected"], condition: object): Attempt => ({
      name: `${expected} by ${JSON.stringify(condition)}`,
      request,
      user,
      expected,
    });
    return pairs.map(([fits, not]) => [
      attempt(allowIf(users, "kms:DescribeKey", fits), "allowed", fits),
      attempt(allowIf(users, "kms:DescribeKey", not), "denied", not),
      attempt(denyIf(users, "kms:DescribeKey", fits), "denied", fits),
      attempt(denyIf(users, "kms:DescribeKey", not), "allowed", not),
    ]);
  });
  assert.deepEqual(await surprises(prepared, send), []);
});
