import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { decrypt, encrypt, rawAesKeyring } from "@strongroom/envelope";
import { ALGORITHM_SUITES } from "@strongroom/envelope/format";
import type { AlgorithmSuiteName } from "@strongroom/envelope/format";
import { rejectsWith } from "../support/errors.ts";

const keyring = rawAesKeyring({ keyNamespace: "test", keyName: "key-1", wrappingKey: randomBytes(24) });
const names = Object.keys(ALGORITHM_SUITES) as AlgorithmSuiteName[];
const text = fc.string({ unit: "grapheme", maxLength: 10 });
const contexts = fc.dictionary(text, text, { maxKeys: 5 });

test("what is encrypted is decrypted: any bytes, suite, frame length and context, required keys or not", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.uint8Array({ maxLength: 400 }),
      fc.integer({ min: 1, max: 150 }),
      contexts,
      fc.nat(),
      async (suite, plaintext, frameLength, encryptionContext, selector) => {
        const keys = Object.keys(encryptionContext);
        const requiredContextKeys = keys.filter((_, index) => (selector >> index) & 1);
        const commitmentPolicy = ALGORITHM_SUITES[suite].committing
          ? "require-encrypt-allow-decrypt"
          : "forbid-encrypt-allow-decrypt";
        const common = { keyring, encryptionContext, requiredContextKeys, commitmentPolicy } as const;
        const { message } = await encrypt(plaintext, { ...common, suite, frameLength });
        const opened = await decrypt(message, common);
        assert.deepEqual(Buffer.from(opened.plaintext), Buffer.from(plaintext));
        if (keys.length > 0) {
          const [changed = ""] = keys;
          const other = { ...encryptionContext, [changed]: `${encryptionContext[changed] ?? ""}!` };
          const code = requiredContextKeys.includes(changed) ? "decryption-failed" : "context-mismatch";
          await rejectsWith(decrypt(message, { ...common, encryptionContext: other }), code);
        }
      },
    ),
    { numRuns: 150 },
  );
});
