import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { parsePolicy, readPolicy, requireNewPolicy } from "../../src/access/policy.ts";
import { AwsError } from "../../src/protocol/aws-error.ts";
import { bench } from "../behaviours/behaviour.ts";
import { ACCOUNT } from "../running-kms.ts";

const OWNER = { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "kms:*", Resource: "*" };
const statement = (changes: object): string => JSON.stringify({ Statement: [{ ...OWNER, ...changes }] });

/** A statement's text with one more member, as it is written. */
const spelled = (member: string): string => JSON.stringify({ Statement: [OWNER] }).replace(/\}\]\}$/, `,${member}}]}`);

/** Malformed policies, and where the mistake is. */
const MALFORMED: readonly (readonly [text: string, place: RegExp])[] = [
  ["{", /not valid JSON/],
  ["7", /the policy/],
  ["{}", /Statement is needed/],
  ['{"Statement":[]}', /Statement must have a statement/],
  [statement({ Effect: "Maybe" }), /Statement\.0\.Effect must be Allow or Deny/],
  [statement({ Principal: undefined }), /Statement\.0: needs a Principal/],
  [statement({ Principal: { Group: "x" } }), /Statement\.0\.Principal has Group, which no policy has/],
  [statement({ NotPrincipal: "*" }), /has both Principal and NotPrincipal/],
  [statement({ Action: 7 }), /Statement\.0\.Action must be a string, or a list of strings/],
  [statement({ Condition: { StringSortOf: { a: "b" } } }), /StringSortOf is not known/],
  [statement({ Condition: "x" }), /Statement\.0\.Condition must be condition operators/],
  [JSON.stringify({ Statement: [OWNER], Extra: 1 }), /the policy has Extra, which no policy has/],
  [spelled('"Condition":{"__proto__":{"kms:KeySpec":"RSA_2048"}}'), /Condition has __proto__, which no policy has/],
  [spelled('"Condition":{"Bool":{"__proto__":"true"}}'), /Condition\.Bool has __proto__, which no policy has/],
  [spelled('"__proto__":{"Effect":"Deny"}'), /Statement\.0 has __proto__, which no policy has/],
  [spelled('"Effect":"Deny"'), /"Effect" stands twice in one object/],
  [spelled('"\\u0045ffect":"Deny"'), /"Effect" stands twice in one object/],
  [spelled('"Condition":{"Bool":{"kms:MultiRegion":"true"},"Bool":{}}'), /"Bool" stands twice in one object/],
  [spelled('"Condition":{"Bool":{"a":"true","a":"false"}}'), /"a" stands twice in one object/],
  [JSON.stringify({ Statement: [OWNER] }).replace(/^./, '{"Statement":[],'), /"Statement" stands twice in one object/],
];

void test("AWS's words go to the client; where the mistake is, to whoever runs the server", async (t) => {
  const lines: string[] = [];
  const logger = pino({ level: "warn" }, { write: (line: string) => lines.push(line) });
  const b = await bench(t, { logger });
  for (const [Policy, place] of MALFORMED) {
    assert.equal((await b.wire("CreateKey", { Policy })).text, '{"__type":"MalformedPolicyDocumentException"}');
    const { msg } = JSON.parse(lines.at(-1)!) as { msg: string };
    assert.match(msg, place);
    assert.doesNotMatch(msg, /invalid input|expected|received/i, Policy);
  }
});

void test("members of one name in different objects, and strings that look like members, are no duplicates", () => {
  const Sid = '{"Effect":"Deny","Effect":[{"Sid\\":"';
  const Condition = { StringEquals: { a: ["Sid", "Sid"], Sid: "a" }, StringLike: { a: "b", Sid: "Sid" } };
  const statements = [OWNER, { ...OWNER, Sid, Condition }, { ...OWNER, Condition, Sid: "Condition" }];
  requireNewPolicy(JSON.stringify({ Statement: statements }));
  requireNewPolicy(JSON.stringify({ Statement: statements }, null, 2));
});

void test("a policy that was stored before its principals were looked at is still read, and services are nobody", () => {
  const old = statement({ Principal: { AWS: "nobody", Service: "*", Federated: "*" } });
  assert.deepEqual(parsePolicy(old)[0]!.principals?.arns, ["nobody"]);
  assert.throws(
    () => {
      requireNewPolicy(old);
    },
    (error: unknown) => error instanceof AwsError && error.detail === 'AWS "nobody" is no principal',
  );
});

void test("an identity policy needs an action and a resource; a key policy's statement without them gives nothing", () => {
  const without = { Effect: "Allow", Action: "kms:*" };
  assert.throws(() => readPolicy({ Statement: without }, "identity"), AwsError);
  const [read] = parsePolicy(statement({ Resource: undefined, Action: undefined }));
  assert.deepEqual(
    [read!.actions, read!.resources],
    [
      { mode: "in", patterns: [] },
      { mode: "in", patterns: [] },
    ],
  );
});
