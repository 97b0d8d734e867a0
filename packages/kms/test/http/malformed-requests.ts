// Requests that no client sends: seeded, so that what was found once is found again. Each is signed or not, aimed at
// any operation, with a body from valid to garbage.

import fc from "fast-check";
import { OPERATIONS } from "../../src/operations/table.ts";

/** One request to send; `signed` ones carry a valid signature over whatever the body is. */
export interface MalformedRequest {
  readonly target: string;
  readonly contentType: string;
  readonly body: string;
  readonly signed: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

const targets = [...OPERATIONS.keys()];
const memberNames = [
  "KeyId",
  "Plaintext",
  "CiphertextBlob",
  "NumberOfBytes",
  "KeySpec",
  "Tags",
  "Policy",
  "EncryptionContext",
  "Limit",
  "Marker",
  "GrantTokens",
  "AliasName",
  "TargetKeyId",
  "ValidTo",
  "Message",
  "__proto__",
  "constructor",
];
const values = fc.oneof(
  fc.string({ maxLength: 50 }),
  fc.constantFrom(
    "alias/",
    "alias/x",
    "arn:aws:kms:eu-west-1:000000000000:key/",
    "mrk-",
    "../../etc/passwd",
    "\u0000",
    "AAAA",
    "=".repeat(9),
  ),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.string({ maxLength: 5 }), { maxLength: 4 }),
  fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
);
const bodies = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .dictionary(fc.constantFrom(...memberNames), values, { maxKeys: 6 })
      .map((body) => JSON.stringify(body)),
  },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.string({ maxLength: 200 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "",
      "{",
      "[".repeat(3000),
      '{"KeyId":'.repeat(200),
      `{"KeyId":"${"x".repeat(30_000)}"}`,
      '{"KeyId":1e999}',
      '{"a":1,"a":2}',
    ),
  },
);
const printable = fc.string({
  unit: fc.constantFrom("a", "Z", "0", "9", " ", ",", ";", "=", "/", "+", "-", ".", ":", "*"),
  maxLength: 40,
});
const headers = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.dictionary(
      fc.constantFrom(
        "authorization",
        "x-amz-date",
        "x-amz-security-token",
        "x-amz-content-sha256",
        "x-amz-extra",
        "accept",
      ),
      printable,
      { maxKeys: 3 },
    ),
  },
);

export const malformedRequest: fc.Arbitrary<MalformedRequest> = fc.record({
  target: fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...targets) }, { weight: 1, arbitrary: printable }),
  contentType: fc.constantFrom(
    "application/x-amz-json-1.1",
    "text/plain",
    "application/json; charset=utf-16",
    "multipart/form-data",
  ),
  body: bodies,
  signed: fc.boolean(),
  headers,
});
