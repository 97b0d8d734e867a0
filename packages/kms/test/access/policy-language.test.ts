// What the IAM User Guide says of principals, variables, resources and operators, where it is easily got wrong.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decide } from "../../src/access/decision.ts";
import { FactSheet } from "../../src/access/facts.ts";
import { defaultKeyPolicy, parsePolicy, readPolicy } from "../../src/access/policy.ts";
import { principalOf } from "../../src/auth/principals.ts";
import { ACCOUNT, REGION } from "../running-kms.ts";

const arn = (resource: string): string => `arn:aws:iam::${ACCOUNT}:${resource}`;
const [ROOT, ANN, BOB] = [arn("root"), arn("user/ann"), arn("user/bob")];
const KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/ann-1`;
const ALL = { Action: "kms:*", Resource: "*" };

/** A request, and the policies that decide on it. */
interface Case {
  readonly principal?: string;
  readonly keyPolicy?: readonly object[];
  readonly identityPolicy?: readonly object[];
  readonly version?: string | null;
  readonly say?: (sheet: FactSheet) => void;
}

const verdict = ({ principal = ANN, keyPolicy, identityPolicy = [], version = "2012-10-17", say }: Case): string => {
  const document = (Statement: readonly object[]): object => ({ ...(version && { Version: version }), Statement });
  const sheet = new FactSheet();
  sheet.single("aws:username", principal.split("/").at(-1));
  say?.(sheet);
  return decide({
    principal: principalOf(principal, []),
    account: ACCOUNT,
    action: "kms:Encrypt",
    resource: KEY,
    keyPolicy: keyPolicy ? readPolicy(document(keyPolicy), "key") : parsePolicy(defaultKeyPolicy(ACCOUNT)),
    identityPolicies: identityPolicy.length > 0 ? readPolicy(document(identityPolicy), "identity") : [],
    grants: [],
    context: {},
    facts: () => sheet.facts,
  }).kind;
};

const allowsAnn = { Effect: "Allow", Principal: "*", ...ALL };
/** Whether an Allow of ann's own with this condition allows. */
const allowsIf = (Condition: object, say: (sheet: FactSheet) => void, version?: string | null): boolean =>
  verdict({
    identityPolicy: [{ Effect: "Allow", ...ALL, Condition }],
    say,
    ...(version !== undefined && { version }),
  }) === "allow";

test("a Deny with NotPrincipal spares whom it names together with the account, and nobody else of the account", () => {
  const cases: [names: string[], principal: string, expected: string][] = [
    [[ROOT, BOB], BOB, "allow"],
    [[ROOT, BOB], ROOT, "allow"],
    [[ROOT, BOB], ANN, "deny"],
    [[ACCOUNT, BOB], ANN, "deny"],
    [[BOB], BOB, "deny"],
    [[ROOT], ANN, "deny"],
    [["*"], ANN, "allow"],
  ];
  for (const [AWS, principal, expected] of cases) {
    const keyPolicy = [allowsAnn, { Effect: "Deny", NotPrincipal: { AWS }, ...ALL }];
    assert.equal(verdict({ principal, keyPolicy }), expected, `${AWS.join()} ${principal}`);
  }
});

test("an Allow with NotPrincipal allows nobody whom it names, be it by the account", () => {
  for (const AWS of [[ANN], [ROOT], [ACCOUNT], ["*"]])
    assert.equal(verdict({ keyPolicy: [{ Effect: "Allow", NotPrincipal: { AWS }, ...ALL }] }), "deny", AWS.join());
  assert.equal(verdict({ keyPolicy: [{ Effect: "Allow", NotPrincipal: { AWS: BOB }, ...ALL }] }), "allow");
});

test("services and federated users are nobody here, and a star among them is not everybody", () => {
  for (const kind of ["Service", "Federated"])
    for (const name of ["*", ANN, ACCOUNT])
      assert.equal(verdict({ keyPolicy: [{ Effect: "Allow", Principal: { [kind]: name }, ...ALL }] }), "deny", name);
  const both = { Effect: "Allow", Principal: { Service: "s3.amazonaws.com", AWS: ANN }, ...ALL };
  assert.equal(verdict({ keyPolicy: [both] }), "allow");
});

test("policy variables are replaced in conditions and resources, in any case, in policies of 2012-10-17 only", () => {
  const is = (alias: string) => (sheet: FactSheet) => {
    sheet.single("kms:RequestAlias", alias);
  };
  const equals = (wanted: string): object => ({ StringEquals: { "kms:RequestAlias": wanted } });
  const like = (wanted: string): object => ({ StringLike: { "kms:RequestAlias": wanted } });
  const cases: [condition: object, alias: string, expected: boolean][] = [
    [equals("alias/${aws:username}"), "alias/ann", true],
    [equals("alias/${ AWS:UserName }"), "alias/ann", true],
    [equals("alias/${aws:username}"), "alias/bob", false],
    [equals("${aws:PrincipalTag/team, 'none'}"), "none", true],
    [equals("${aws:username, 'none'}"), "ann", true],
    [equals("${aws:PrincipalTag/team}"), "${aws:PrincipalTag/team}", false],
    [equals("a${*}${?}${$}{"), "a*?${", true],
    [like("a${*}"), "ab", false],
    [like("a${*}"), "a*", true],
    [like("${?}*"), "?b", true],
    [like("${?}*"), "ab", false],
    [equals("${unclosed"), "${unclosed", true],
  ];
  for (const [condition, alias, expected] of cases)
    assert.equal(allowsIf(condition, is(alias)), expected, `${JSON.stringify(condition)} ${alias}`);
  for (const version of ["2008-10-17", null]) {
    assert.equal(allowsIf(equals("alias/${aws:username}"), is("alias/ann"), version), false);
    assert.equal(allowsIf(equals("alias/${aws:username}"), is("alias/${aws:username}"), version), true);
  }
  const onResource = (element: object): string =>
    verdict({ identityPolicy: [{ Effect: "Allow", Action: "*", ...element }] });
  assert.equal(onResource({ Resource: "arn:aws:kms:*:*:key/${aws:username}-*" }), "allow");
  assert.equal(onResource({ Resource: "arn:aws:kms:*:*:key/${aws:userid}*" }), "deny");
  assert.equal(onResource({ NotResource: "arn:aws:kms:*:*:key/${aws:username}-*" }), "deny");
  assert.equal(onResource({ NotResource: "arn:aws:kms:*:*:key/${aws:userid}*" }), "deny");
});

test("what a variable stands for is no wildcard, and a variable without a value fits nothing", () => {
  const star = (sheet: FactSheet): void => {
    sheet.single("kms:RequestAlias", "alias/anything");
    sheet.single("aws:UserAgent", "*");
    sheet.multi("aws:TagKeys", ["alias/anything"]);
  };
  assert.equal(allowsIf({ StringLike: { "kms:RequestAlias": "${aws:UserAgent}" } }, star), false);
  assert.equal(allowsIf({ StringLike: { "kms:RequestAlias": "${aws:TagKeys}" } }, star), false);
  assert.equal(allowsIf({ StringLike: { "kms:RequestAlias": "${aws:userid}*" } }, star), false);
  // "Inverted" operators hold: the value is not like one that is not there.
  assert.equal(allowsIf({ StringNotLike: { "kms:RequestAlias": "${aws:userid}*" } }, star), true);
  assert.equal(allowsIf({ NumericEquals: { "aws:EpochTime": "${aws:EpochTime}" } }, star), false);
  // A hostile text is read once, not once for each of its characters.
  for (const part of [" ", "${a", "${a,'", "${a, "])
    assert.equal(allowsIf({ StringEquals: { "kms:RequestAlias": `\${${part.repeat(200_000)}` } }, star), false);
});

test("pairs whose names differ in case only: an Allow wants all of their values, a Deny one of them", () => {
  const say = (sheet: FactSheet): void => {
    sheet.named("kms:EncryptionContext:", [
      ["team", "sales"],
      ["Team", "billing"],
    ]);
  };
  for (const team of ["sales", "billing"]) {
    const Condition = { StringEquals: { "kms:EncryptionContext:TEAM": team } };
    assert.equal(allowsIf(Condition, say), false, team);
    const identityPolicy = [
      { Effect: "Allow", ...ALL },
      { Effect: "Deny", ...ALL, Condition },
    ];
    assert.equal(verdict({ identityPolicy, say }), "deny", team);
  }
  assert.equal(allowsIf({ StringEquals: { "kms:EncryptionContext:team": ["sales", "billing"] } }, say), true);
  assert.equal(allowsIf({ StringNotEquals: { "kms:EncryptionContext:team": "sales" } }, say), false);
});

test("an ARN that breaks off is completed with stars in an identity policy", () => {
  const on = (Resource: string): string =>
    verdict({ identityPolicy: [{ Effect: "Allow", Action: "kms:*", Resource }] });
  for (const Resource of ["arn:aws:kms", "arn:aws:kms:eu-west-1", `arn:aws:kms:*:${ACCOUNT}`, "arn:*:kms"])
    assert.equal(on(Resource), "allow", Resource);
  for (const Resource of ["arn:aws:s3", "arn:aws:kms:eu-west-2", "arn:aws:kms:eu-west-1:1", "kms", ""])
    assert.equal(on(Resource), "deny", Resource);
});

test("numbers, dates and addresses are read strictly, dates in both of their forms, addresses of both versions", () => {
  const cases: [operator: string, actual: string, wanted: string, expected: boolean][] = [
    ["NumericEquals", "0", "", false],
    ["NumericEquals", "0", " ", false],
    ["NumericEquals", "16", "0x10", false],
    ["NumericLessThanEquals", "1546257599", "1546257599.0", true],
    ["NumericNotEquals", "1", "x", true],
    ["DateLessThan", "1767225599", "2026-01-01T00:00:00Z", true],
    ["DateGreaterThan", "2026-01-01T00:00:01Z", "1767225600", true],
    ["DateEquals", "2026-01-01T00:00:00Z", "2026-01-01", true],
    ["DateEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00", true],
    ["DateEquals", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", true],
    ["DateLessThan", "2026-01-01T00:00:00Z", "tomorrow", false],
    ["DateEquals", "2026-01-01T00:00:00Z", "1 January 2026 UTC", false],
    ["BinaryEquals", "QUI=", "QUI", true],
    ["BinaryEquals", "QUI=", "QUM=", false],
    ["IpAddress", "10.1.2.3", "0.0.0.0/0", true],
    ["IpAddress", "::ffff:10.1.2.3", "10.1.0.0/16", true],
    ["IpAddress", "2001:db8::1", "2001:db8::/32", true],
    ["IpAddress", "2001:db9::1", "2001:db8::/32", false],
    ["IpAddress", "2001:0db8:0::1", "2001:db8::1", true],
    ["IpAddress", "fe80::1%eth0", "fe80::/10", true],
    ["NotIpAddress", "2001:db8::1", "10.0.0.0/8", true],
    ["IpAddress", "10.1.2.3", "10.1.2.3/33", false],
    ["IpAddress", "10.1.2.3", "10.1.2.3/", false],
    ["IpAddress", "10.1.2.3", "10.1.2.3/-1", false],
    ["IpAddress", "10.1.2.3", "10.1.2/24", false],
    ["ArnLike", "arn:aws:iam::1:user/x", "arn:aws:iam::*", false],
    ["ArnLike", "arn:aws:sns:r:1:a:b", "arn:aws:sns:*:1:a:*", true],
  ];
  for (const [operator, actual, wanted, expected] of cases) {
    const say = (sheet: FactSheet): void => {
      sheet.single("kms:x", actual);
    };
    assert.equal(allowsIf({ [operator]: { "kms:x": wanted } }, say), expected, `${operator} ${actual} ${wanted}`);
  }
});

test("Null asks whether there is a value, and goes with no IfExists", () => {
  const nothing = (): void => undefined;
  assert.equal(allowsIf({ Null: { "kms:EncryptionContextKeys": "TRUE" } }, nothing), true);
  assert.equal(allowsIf({ Null: { "kms:EncryptionContextKeys": false } }, nothing), false);
  assert.throws(() => allowsIf({ NullIfExists: { "kms:x": "true" } }, nothing), {
    detail: /NullIfExists is not known/,
  });
});
