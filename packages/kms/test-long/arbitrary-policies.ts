// Random policies and requests, small enough that most statements nearly fit: every operator, set operators, IfExists,
// Null, variables and their escapes, wildcards, and every way to name or leave out actions, resources and principals.

import fc from "fast-check";

export const ACCOUNT = "000000000000";
export const USER = `arn:aws:iam::${ACCOUNT}:user/ann`;
export const KEY = `arn:aws:kms:eu-west-1:${ACCOUNT}:key/00000000-0000-0000-0000-000000000000`;

/** Condition keys with the values that requests have for them; several: the key is multivalued. */
export type RequestValues = Readonly<Record<string, string | readonly string[]>>;

/** One trial. */
export interface Trial {
  readonly principal: string;
  readonly action: string;
  readonly values: RequestValues;
  readonly keyPolicy: { readonly Version: string; readonly Statement: readonly object[] };
  readonly identityPolicy: { readonly Version: string; readonly Statement: readonly object[] };
}

/** A multivalued condition key. */
const MANY = "kms:EncryptionContextKeys";

const pick = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const oneOrMore = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | T[]> =>
  fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 }));

const text = pick("a", "A", "b", "a*", "*", "?", "ab", "a?", "ann");
/** Only with operators that have wildcards: with the others the simulator does not read them. */
const escapes = pick("${*}", "a${*}", "${?}", "${$}");
// All with a value: AWS lets negated operators hold for a variable that has none, and the simulator does not.
const variables = pick("${aws:username}", "${AWS:UserName}", "${kms:ViaService, 'a'}", "${kms:ViaService, '*'}");
// What is no number, date or ARN is left out: AWS does not say what comes of it.
const number = pick("0", "1", "7", "7.0", "30");
// Without seconds since 1970, which the simulator takes for milliseconds.
const date = pick("2026-01-01T00:00:00Z", "2026-01-02", "2025-12-31T23:59:59Z", "2026-01-01T01:00:00+01:00");
// Without 0.0.0.0/0, in which every address lies: the simulator finds none in it. And each version of IP by itself: an
// address of the one is not in a network of the other, which the simulator lets NotIpAddress not say.
const address = pick("10.1.2.3", "10.1.0.0/16", "10.0.0.0/8", "192.168.0.0/16");
const addressOf6 = pick("2001:db8::/32", "2001:db8::1", "2001:db9::/32");
const arn = pick(USER, "arn:aws:iam::*:user/*", "arn:aws:iam::*:user/a??", "arn:*:*:*:*:*", "arn:aws:iam::1:role/x");
const arnVariable = pick("arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:user/${kms:ViaService, 'ann'}");

/** Families of operators, with keys and values that go with them. No key of KMS goes with BinaryEquals. */
const FAMILIES = [
  {
    operators: ["StringEquals", "StringLike"],
    keys: ["kms:RequestAlias", "kms:ViaService"],
    values: fc.oneof(text, variables, pick("${kms:ViaService}")),
  },
  {
    operators: ["StringLike", "StringNotLike"],
    keys: ["kms:RequestAlias", MANY],
    values: fc.oneof(text, escapes),
  },
  {
    operators: ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike"],
    keys: ["kms:RequestAlias", "KMS:requestalias", MANY, "kms:ViaService"],
    values: fc.oneof(text, variables),
  },
  {
    operators: ["StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"],
    keys: ["kms:RequestAlias", MANY, "kms:ViaService"],
    values: pick("a", "A", "B", "ab"),
  },
  {
    operators: ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"].map(
      (name) => `Numeric${name}`,
    ),
    keys: ["aws:MultiFactorAuthAge", "kms:ViaService"],
    values: number,
  },
  {
    operators: ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"].map(
      (name) => `Date${name}`,
    ),
    keys: ["aws:CurrentTime", "kms:ViaService"],
    values: date,
  },
  { operators: ["Bool"], keys: ["aws:SecureTransport", "kms:ViaService"], values: pick("true", "false", "True") },
  { operators: ["IpAddress", "NotIpAddress"], keys: ["aws:SourceIp", "kms:ViaService"], values: address },
  { operators: ["IpAddress", "NotIpAddress"], keys: ["aws:VpcSourceIp", "kms:ViaService"], values: addressOf6 },
  {
    operators: ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
    keys: ["aws:SourceArn", "kms:ViaService"],
    values: fc.oneof(arn, arnVariable),
  },
] as const;

/**
 * Before and after the operator. Left out: ForAnyValue with IfExists. AWS's page says that IfExists holds when the key
 * is absent, whatever it is added to, and the simulator that ForAnyValue does not.
 */
const affixes = pick(["", ""], ["", ""], ["", "IfExists"], ["ForAnyValue:", ""], ["ForAllValues:", ""], [
  "ForAllValues:",
  "IfExists",
] as const);
interface Family {
  readonly operators: readonly string[];
  readonly keys: readonly string[];
  readonly values: fc.Arbitrary<string>;
}
const condition = pick<Family>(...FAMILIES).chain(({ operators, keys, values }) =>
  fc
    .tuple(affixes, pick(...operators), pick(...keys), oneOrMore(values))
    .map(([[before, after], operator, key, wanted]) => {
      // A multivalued key wants a set operator; without one AWS does not say what comes of it.
      const set = key === MANY && before === "" ? "ForAnyValue:" : before;
      return { [`${set}${operator}${set === "ForAnyValue:" ? "" : after}`]: { [key]: wanted } };
    }),
);
const nullCondition = fc
  .tuple(pick("kms:RequestAlias", "kms:ViaService", MANY), pick("true", "false"))
  .map(([key, value]) => ({ Null: { [key]: value } }));

const action = pick("kms:Encrypt", "kms:*", "KMS:encrypt", "kms:En*", "kms:Decrypt", "kms:?ncrypt", "*");
const resource = pick("*", KEY, "arn:aws:kms:*:*:key/*", "arn:aws:kms:eu-west-2:*:*", `${KEY}x`);
const resourceVariable = pick("arn:aws:kms:*:*:key/${aws:username}*", "arn:aws:kms:*:*:key/0${kms:ViaService, '0'}*");

const either = <T>(name: string, value: fc.Arbitrary<T>): fc.Arbitrary<object> =>
  fc.tuple(pick(name, name, name, `Not${name}`), oneOrMore(value)).map(([element, values]) => ({ [element]: values }));

const common = fc
  .tuple(
    pick("Allow", "Allow", "Deny"),
    either("Action", action),
    fc.option(fc.oneof(condition, condition, nullCondition), { nil: null }),
  )
  .map(([Effect, actions, Condition]) => ({ Effect, ...actions, ...(Condition && { Condition }) }));

// In a policy of the version 2008-10-17 a variable is, to AWS, the text that it is written as; not to the simulator.
const policyOf = (statement: fc.Arbitrary<object>): fc.Arbitrary<Trial["keyPolicy"]> =>
  fc.array(statement, { minLength: 1, maxLength: 3 }).map((Statement) => ({ Version: "2012-10-17", Statement }));

// Not in NotResource: the simulator lets none with an ARN that breaks off, or with a variable that has no value, fit.
// AWS completes the one, and says of the other that it matches no resource.
const resources = fc.oneof(
  either("Resource", fc.oneof(resource, resource, resourceVariable)),
  oneOrMore(pick("arn:aws:kms:*", "arn:aws:kms", "arn:aws:kms:*:*:key/${kms:ViaService}*")).map((Resource): object => ({
    Resource,
  })),
);
const identityStatement = fc.tuple(common, resources).map((parts) => Object.assign({}, ...parts) as object);

const principals = pick<object>(
  { Principal: "*" },
  { Principal: { AWS: "*" } },
  { Principal: { AWS: USER } },
  { Principal: { AWS: [USER, `arn:aws:iam::${ACCOUNT}:user/bob`] } },
  { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/bob` } },
  { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` } },
  { Principal: { AWS: ACCOUNT } },
  { Principal: { Service: "s3.amazonaws.com" } },
  { NotPrincipal: { AWS: [USER, `arn:aws:iam::${ACCOUNT}:root`] } },
  { NotPrincipal: { AWS: "arn:aws:iam::111122223333:user/eve" } },
);
const keyStatement = fc
  .tuple(common, principals)
  .map(([statement, who]) => Object.assign({ Resource: "*" }, statement, who) as object);

const values: fc.Arbitrary<RequestValues> = fc
  .record(
    {
      "kms:RequestAlias": pick("a", "A", "b", "a*", "*", "?", "ab", "$", "ann"),
      [MANY]: fc.array(pick("a", "b", "ab", "*"), { minLength: 1, maxLength: 3 }),
      "aws:MultiFactorAuthAge": pick("0", "1", "7", "30"),
      "aws:CurrentTime": pick("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
      "aws:SecureTransport": pick("true", "false"),
      "aws:SourceIp": pick("10.1.2.3", "10.2.0.1", "192.168.1.1"),
      "aws:VpcSourceIp": pick("2001:db8::1", "2001:db9::1"),
      "aws:SourceArn": pick(USER, "arn:aws:iam::1:role/x"),
    },
    { requiredKeys: [] },
  )
  .map((record) => ({ ...(record as RequestValues), "aws:username": "ann" }));

/** A trial. */
export const trial: fc.Arbitrary<Trial> = fc.record({
  principal: pick(USER),
  action: pick("kms:Encrypt"),
  values,
  keyPolicy: fc.oneof(
    policyOf(keyStatement),
    fc.constant({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "kms:*", Resource: "*" },
      ],
    }),
  ),
  identityPolicy: policyOf(identityStatement),
});
