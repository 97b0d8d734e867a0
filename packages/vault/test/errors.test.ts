import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { EnvelopeError } from "@strongroom/envelope";
import { EXIT_CODES } from "@strongroom/base/errors";
import { VAULT_ERRORS, VaultError } from "@strongroom/vault";
import { envelopeFailure } from "../src/envelope-failure.ts";

test("every code is in kebab case, with a title and a remedy that are sentences", () => {
  for (const [code, { title, remedy }] of Object.entries(VAULT_ERRORS)) {
    assert.match(code, /^[a-z]+(-[a-z]+)*$/);
    assert.match(title, /^[A-Z].*[^.]$/, code);
    assert.match(remedy, /^[A-Z].*\.$/, code);
  }
});

test("every row has an outcome that a command can end with, and a status that HTTP has", () => {
  for (const [code, { outcome, status }] of Object.entries(VAULT_ERRORS)) {
    assert.ok(Object.hasOwn(EXIT_CODES, outcome), code);
    assert.ok(status >= 400 && status < 600, code);
  }
});

test("every code in the table is used by the sources", async () => {
  const folder = new URL("../src/", import.meta.url);
  const files = (await readdir(folder, { recursive: true })).filter(
    (file) => file.endsWith(".ts") && file !== "errors.ts",
  );
  const text = (await Promise.all(files.map((file) => readFile(new URL(file, folder), "utf8")))).join("\n");
  for (const code of Object.keys(VAULT_ERRORS)) assert.ok(text.includes(`"${code}"`), code);
});

test("an error of the envelope keeps its cause, and names regions without their keys", () => {
  const attempt = {
    region: "eu-west-1",
    keyArn: "arn:aws:kms:eu-west-1:0:key/1",
    operation: "Decrypt",
    reason: "timeout",
    errorName: null,
    elapsedMs: 1,
  } as const;
  const cause = new EnvelopeError("regions-unavailable", "no region: arn:aws:kms:eu-west-1:0:key/1", {
    attempts: [attempt],
  });
  const error = envelopeFailure(cause);
  assert.equal(error.code, "regions-unavailable");
  assert.equal(error.cause, cause);
  assert.deepEqual(error.regions, [{ region: "eu-west-1", reason: "timeout" }]);
  assert.match(error.message, /eu-west-1: timeout/);
  assert.doesNotMatch(error.message, /arn:/);
});

test("what is no envelope error at all is still an error with a code", () => {
  assert.equal(envelopeFailure(new TypeError("x")).code, "encryption-failed");
  assert.equal(envelopeFailure("x").code, "encryption-failed");
  const own = new VaultError("record-absent", "There is no such record");
  assert.equal(envelopeFailure(own), own);
});
