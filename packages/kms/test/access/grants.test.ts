// Grants respect what policies say, and give what they are meant to give and nothing beside.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Members } from "../behaviours/behaviour.ts";
import type { Bench } from "../behaviours/behaviour.ts";
import { prepare } from "./requests.ts";
import { addToKeyPolicy, verdictOf, withUsers } from "./world.ts";
import type { Prepared, Users } from "./world.ts";

type User = ReturnType<Users["with"]>;
/** Users of whom a policy can tell one from another; none may anything. */
const nobody = (users: Users, name: string): User =>
  users.with({ Sid: name, Effect: "Allow", Action: "s3:*", Resource: "*" });
const grantTo = (b: Bench, key: string, user: User, members: Members): Promise<Members> =>
  b.ok("CreateGrant", { KeyId: key, GranteePrincipal: user.arn, ...members });

test("a grant for calls on behalf of a resource gives nothing to a call of its own", async (t) => {
  const SourceArn = "arn:aws:sns:us-east-1:000000000000:a-topic-of-ours";
  const { prepared, send } = await withUsers(t, async (b, users) => {
    const request = await prepare(b, "DescribeKey");
    const [plain, bound] = [nobody(users, "plain"), nobody(users, "bound")];
    await grantTo(b, request.key!.arn, plain, { Operations: ["DescribeKey"] });
    await grantTo(b, request.key!.arn, bound, { Operations: ["DescribeKey"], Constraints: { SourceArn } });
    return { request, plain, bound };
  });
  const { request, plain, bound } = prepared;
  assert.equal(verdictOf(await send(request, plain), request), "allowed");
  assert.equal(verdictOf(await send(request, bound), request), "denied");
});

test("a Deny with a condition outweighs a grant", async (t) => {
  const { prepared, send } = await withUsers(t, async (b, users) => {
    const user = users.with({
      Effect: "Deny",
      Action: "kms:Encrypt",
      Resource: "*",
      Condition: { StringEquals: { "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT" } },
    });
    const requests = { Encrypt: await prepare(b, "Encrypt"), DescribeKey: await prepare(b, "DescribeKey") };
    await grantTo(b, requests.Encrypt.key!.arn, user, { Operations: ["Encrypt", "DescribeKey"] });
    return { requests, user };
  });
  const { requests, user } = prepared;
  assert.equal(verdictOf(await send(requests.Encrypt, user), requests.Encrypt), "denied");
  assert.equal(verdictOf(await send(requests.DescribeKey, user), requests.DescribeKey), "allowed");
});

test("a grant is retired by those whom it names, the account, and whom a policy of their own allows it", async (t) => {
  const RETIRES = { Action: "kms:RetireGrant", Resource: "*" };
  const { prepared, send } = await withUsers(t, async (b, users) => {
    const [retiring, grantee, other] = [nobody(users, "retiring"), nobody(users, "grantee"), nobody(users, "other")];
    const byPolicy = users.with({ Effect: "Allow", ...RETIRES });
    const deniedIt = users.with({ Sid: "retiring", Effect: "Deny", ...RETIRES });
    const byKeyPolicy = nobody(users, "by key policy");
    const key = (await prepare(b, "DescribeKey")).key!.arn;
    await addToKeyPolicy(b, key, { Effect: "Allow", Principal: { AWS: byKeyPolicy.arn }, ...RETIRES });
    // The other one's own grant says nothing of anybody else's.
    await grantTo(b, key, other, { Operations: ["RetireGrant", "DescribeKey"] });

    const retire = async (members: Members): Promise<Prepared> => {
      const { GrantId } = await grantTo(b, key, grantee, members);
      return { ...(await prepare(b, "RetireGrant")), body: { KeyId: key, GrantId } };
    };
    const plain = { Operations: ["Decrypt"], RetiringPrincipal: retiring.arn };
    const deniedOne = await retire({ ...plain, RetiringPrincipal: deniedIt.arn });
    const own = await retire({ ...plain, Operations: ["Decrypt", "RetireGrant"] });
    const [first, second] = [await retire(plain), await retire(plain)];
    return [
      ["the retiring principal, denied it", deniedOne, deniedIt, "denied"],
      ["the grantee, whom the grant does not allow it", first, grantee, "denied"],
      ["the grantee of another grant that allows it", first, other, "denied"],
      ["whom a key policy allows it", first, byKeyPolicy, "denied"],
      ["the retiring principal", first, retiring, "allowed"],
      ["whom a policy of its own allows it", second, byPolicy, "allowed"],
      ["the grantee, whom the grant allows it", own, grantee, "allowed"],
    ] as const;
  });
  for (const [who, request, user, expected] of prepared)
    assert.equal(verdictOf(await send(request, user), request), expected, who);
});

test("who may make unconstrained grants only passes on the grant that it has once it adds a constraint", async (t) => {
  const { prepared, send } = await withUsers(t, async (b, users) => {
    const user = users.with({
      Effect: "Allow",
      Action: "kms:CreateGrant",
      Resource: "*",
      Condition: { Null: { "kms:EncryptionContextKeys": "true" } },
    });
    const request = await prepare(b, "CreateGrant");
    await grantTo(b, request.key!.arn, user, { Operations: ["CreateGrant", "Encrypt"] });
    const Constraints = { EncryptionContextEquals: { team: "a" } };
    return { user, plain: request, constrained: { ...request, body: { ...request.body, Constraints } } };
  });
  const { user, plain, constrained } = prepared;
  assert.equal(verdictOf(await send(plain, user), plain), "allowed");
  assert.equal(verdictOf(await send(constrained, user), constrained), "denied");
});

test("permissions that only policies of a principal give are not given by a key policy", async (t) => {
  const { prepared, send } = await withUsers(t, async (b, users) => {
    const user = users.with({ Effect: "Allow", Action: "kms:ReplicateKey", Resource: "*" });
    const requests = [
      await prepare(b, "CreateAlias"),
      await prepare(b, "DeleteAlias"),
      await prepare(b, "ReplicateKey"),
    ];
    const statement = { Effect: "Allow", Principal: { AWS: user.arn }, Action: "kms:*", Resource: "*" };
    for (const { key } of requests) await addToKeyPolicy(b, key!.arn, statement);
    return { user, requests };
  });
  for (const request of prepared.requests)
    assert.equal(verdictOf(await send(request, prepared.user), request), "denied", request.operation);
});

test("who has several grants to make grants passes on each of them, constrained alike or more strictly", async (t) => {
  const [A, AB, ABC] = [{ a: "1" }, { b: "2", a: "1" }, { a: "1", b: "2", c: "3" }];
  const subset = (EncryptionContextSubset: object): Members => ({ Constraints: { EncryptionContextSubset } });
  const equals = (EncryptionContextEquals: object): Members => ({ Constraints: { EncryptionContextEquals } });
  const { prepared, send } = await withUsers(t, async (b, users) => {
    const request = await prepare(b, "CreateGrant");
    const key = request.key!.arn;
    const holder = (name: string): User => nobody(users, name);
    const [open, several, sub, equal, both] = ["open", "several", "sub", "equal", "both"].map(holder);
    const grants: [User, Members][] = [
      [open!, { Operations: ["CreateGrant", "Encrypt"] }],
      [several!, { Operations: ["CreateGrant", "Encrypt"], ...subset(A) }],
      [several!, { Operations: ["CreateGrant", "Decrypt"] }],
      [sub!, { Operations: ["CreateGrant", "Encrypt"], ...subset({ a: "1", b: "2" }) }],
      [equal!, { Operations: ["CreateGrant", "Encrypt"], ...equals({ a: "1", b: "2" }) }],
      [
        both!,
        {
          Operations: ["CreateGrant", "Encrypt"],
          Constraints: { ...subset(A)["Constraints"], ...equals(AB)["Constraints"] },
        },
      ],
    ];
    for (const [user, members] of grants) await grantTo(b, key, user, members);
    const Encrypt = { Operations: ["Encrypt"] };
    const cases: [string, User, Members, "allowed" | "denied"][] = [
      ["no constraint, as its own", open!, Encrypt, "allowed"],
      ["stricter than none", open!, { ...Encrypt, ...subset(A) }, "allowed"],
      ["an operation it has not", open!, { Operations: ["Encrypt", "Decrypt"] }, "denied"],
      ["by the second grant", several!, { Operations: ["Decrypt"] }, "allowed"],
      ["by the first grant", several!, { ...Encrypt, ...subset(A) }, "allowed"],
      ["wider than the first grant", several!, Encrypt, "denied"],
      ["of two grants together", several!, { Operations: ["Encrypt", "Decrypt"], ...subset(A) }, "denied"],
      ["the same in another order", sub!, { ...Encrypt, ...subset(AB) }, "allowed"],
      ["a pair more", sub!, { ...Encrypt, ...subset(ABC) }, "allowed"],
      ["exactly these pairs", sub!, { ...Encrypt, ...equals(AB) }, "allowed"],
      ["exactly these and one more", sub!, { ...Encrypt, ...equals(ABC) }, "allowed"],
      [
        "both kinds, one enough",
        sub!,
        { ...Encrypt, Constraints: { ...subset({})["Constraints"], ...equals(ABC)["Constraints"] } },
        "allowed",
      ],
      ["no constraint", sub!, Encrypt, "denied"],
      ["an empty one", sub!, { ...Encrypt, ...subset({}) }, "denied"],
      ["a pair less", sub!, { ...Encrypt, ...subset(A) }, "denied"],
      ["exactly fewer", sub!, { ...Encrypt, ...equals(A) }, "denied"],
      ["another value", sub!, { ...Encrypt, ...subset({ a: "1", b: "3" }) }, "denied"],
      ["exactly the same", equal!, { ...Encrypt, ...equals(AB) }, "allowed"],
      ["exactly others", equal!, { ...Encrypt, ...equals(ABC) }, "denied"],
      ["a subset instead of exactly", equal!, { ...Encrypt, ...subset(AB) }, "denied"],
      [
        "exactly the same and a subset",
        equal!,
        { ...Encrypt, Constraints: { ...subset(A)["Constraints"], ...equals(AB)["Constraints"] } },
        "allowed",
      ],
      ["exactly the same, for both", both!, { ...Encrypt, ...equals(AB) }, "allowed"],
      ["a subset, for both", both!, { ...Encrypt, ...subset(AB) }, "denied"],
    ];
    return cases.flatMap(([name, user, members, expected]) => {
      const body = { KeyId: key, GranteePrincipal: user.arn, ...members };
      // A dry run asks for the same, and changes nothing.
      const dry = { ...request, endsWith: "DryRunOperationException", body: { ...body, DryRun: true } };
      return [
        { name: `${name}, tried`, request: dry, user, expected },
        { name, request: { ...request, body }, user, expected },
      ];
    });
  });
  for (const { name, request, user, expected } of prepared)
    assert.equal(verdictOf(await send(request, user), request), expected, name);
});
