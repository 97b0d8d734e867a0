/**
 * Known answers: those the AWS Cryptographic Material Providers Library publishes for its derivation
 * (test/TestKDF_TestVectors.dfy).
 */
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { counterKdf, counterKdfInput } from "../../src/crypto/counter-kdf.ts";
import { throwsWith } from "../support/errors.ts";

interface Vector {
  readonly hash: "sha256" | "sha384";
  readonly key: string;
  readonly input: string;
  readonly output: string;
}

/** The fixed input whole. */
const FIXED_INPUT: readonly Vector[] = [
  {
    hash: "sha256",
    key: "e204d6d466aad507ffaf6d6dab0a5b26152c9e21e764370464e360c8fbc765c6",
    input:
      "7b03b98d9f94b899e591f3ef264b71b193fba7043c7e953cde23bc5384bc1a6293580115fae3495fd845dadbd02bd6455cf48d0f62b33e62364a3a80",
    output: "770dfab6a6a4a4bee0257ff335213f78d8287b4fd537d5c1fffa956910e7c779",
  },
  {
    hash: "sha256",
    key: "aeeeca60f689a441b13b0cbcd441d82df0cf87dac236290dece8931df8d70317",
    input:
      "588ec041e5733b7031212c5538efe4f6aafa4cda8b925d261f5a2688f007b3ac240ee12991e77b8cb8538678615966164a81872bd1cfcbfb39a4f450",
    output: "3e81d6113cee3c529ecedff89a6999ce25b618c15ee1d19d45cb376a1c8e2374",
  },
  {
    hash: "sha384",
    key: "822c764a1b117085c10f0e689814d2bfbd9b43287f1a8c75d795a9831a286184c8586f3577b6e5bbce1637925e04fc47",
    input:
      "af346110b941b11d2189316c9fc2b9f4213775a5d7368d35412678a28fcd03b07f0549666efdf30c80f0ab5563720a56ef616a13bb8f7780036fc08e",
    output: "e0ae235cb82380527be76934a69622396d90e7bfa7e2d295e4375bcee0d1b101",
  },
  {
    hash: "sha384",
    key: "340e212d758e83cc5b89e4b56a86ee8c9631ae4e4bbaec15ac095ea4407bc7b634ad630dd0be85a91c08a8c7e1e1030b",
    input:
      "3cd5561ad12fadfce408e04180afcee38b83156b9e4be0779c4f0db9e26bfe5ccd43e15921977cd26b1db8288b80089eb7d1bbd7f59e1011b3e18b51",
    output: "05fa577b7081210e7c9de69db03d7c2026cf4469a90bfa29f1c2c10818d463e0",
  },
  {
    hash: "sha384",
    key: "0000d9b7ec6fbefdf256fd68220b5205ac65a2001145118c50ba6b657032198b8b7ce3b2f7068a780dc17c22459af2b7",
    input:
      "d857541c62b85756dc73de7dc2d86f5d5e8b28338bb0a945b5c4fd7c81f71961b9705d3d153b19195d003b74212068ed10f96c53438653087a0152cf",
    output: "793ef113f96397ab0031eaa0faa777c107e7d03c",
  },
];

/** With the label `aws-kms-hierarchy`; `input` is the context. */
const LABELLED: readonly Vector[] = [
  {
    hash: "sha256",
    key: "7dc9bdfc2534047cfe63e9eb297b77525149ed7d4afce9c6440f350e61ef3ed0",
    input: "77dae93e689b581d3e06eb01c8d3ba02",
    output: "bce898725589aec08f9834b3b80fdc3ff173907e5574e729fdce127cf76db7cc",
  },
  {
    hash: "sha256",
    key: "5016711776440a204ba9c7c0ffdcd63cb6017e93abe96eb12391d9811e09509f",
    input: "d2f1c09e67421b238f42a8bd52abd3fc",
    output: "36ceae48ed85559c5d357898765259217262ccec8a39a276555cc7e8f0fc5c61",
  },
  {
    hash: "sha256",
    key: "395a102e5336bdf11bf2edecf64236e24a704f9cd00d944775d38b3949457aec",
    input: "330fb77c52e5f9567594eda21bf3ad6c",
    output: "1637ec8d9fa3faec562fe1679ce1e492a62df42788a3cdc874c1149370fed2c2",
  },
];

const hex = (text: string): Buffer => Buffer.from(text, "hex");

for (const [index, { hash, key, input, output }] of FIXED_INPUT.entries()) {
  test(`known answer ${index + 1}, whole fixed input, ${hash}`, () => {
    assert.equal(counterKdf(hash, hex(key), hex(input), output.length / 2).toString("hex"), output);
  });
}

for (const [index, { hash, key, input, output }] of LABELLED.entries()) {
  test(`known answer ${index + 1}, label and context, ${hash}`, () => {
    const fixedInput = counterKdfInput(Buffer.from("aws-kms-hierarchy"), hex(input), output.length / 2);
    assert.equal(counterKdf(hash, hex(key), fixedInput, output.length / 2).toString("hex"), output);
  });
}

test("is the formula of SP 800-108 at any length", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("sha256" as const, "sha384" as const, "sha512" as const),
      fc.uint8Array({ minLength: 1, maxLength: 140 }),
      fc.uint8Array({ maxLength: 700 }),
      fc.integer({ min: 1, max: 300 }),
      (hash, key, input, length) => {
        const blocks: Buffer[] = [];
        for (let counter = 1; Buffer.concat(blocks).length < length; counter++) {
          blocks.push(
            createHmac(hash, key)
              .update(Buffer.of(0, 0, counter >> 8, counter & 255))
              .update(input)
              .digest(),
          );
        }
        assert.deepEqual(counterKdf(hash, key, input, length), Buffer.concat(blocks).subarray(0, length));
      },
    ),
    { numRuns: 200 },
  );
});

test("label, zero byte, context and length in bits", () => {
  assert.equal(
    counterKdfInput(Buffer.from("ab"), Buffer.from("cd"), 64).toString("hex"),
    "6162" + "00" + "6364" + "00000200",
  );
});

test("a length that it cannot give is refused", () => {
  for (const length of [0, -1, 1.5, 255 * 32 + 1, Number.NaN])
    throwsWith(() => counterKdf("sha256", randomBytes(32), randomBytes(8), length), "option-invalid");
  assert.equal(counterKdf("sha256", randomBytes(32), randomBytes(8), 255 * 32).length, 255 * 32);
});
