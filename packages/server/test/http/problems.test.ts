import assert from "node:assert/strict";
import { test } from "node:test";
import type { VaultError as OwnVaultError } from "@strongroom/vault";
import { knownError, problemAnswer } from "../../src/http/problems.ts";

test("what Fastify finds wrong with a body is told in whole words", () => {
  const told = (code: string): string => knownError(Object.assign(new Error("its own words"), { code })).error.message;
  assert.equal(told("FST_ERR_CTP_INVALID_CONTENT_LENGTH"), "The body is not as long as Content-Length says");
  assert.equal(told("FST_ERR_CTP_BODY_TOO_LARGE"), "The body is larger than this route takes");
  assert.equal(told("ECONNRESET"), "The connection was closed before the body was complete");
});

test("an error of another copy of the vault is told as the vault's own", async () => {
  const copy = import.meta.resolve("@strongroom/vault").replace("index.ts", "errors.ts?another-copy");
  const { VaultError } = (await import(copy)) as { readonly VaultError: typeof OwnVaultError };
  const conflict = new VaultError("version-conflict", "It is at version 3", { currentVersion: 3 });
  const { error, fault } = knownError(conflict);
  assert.equal(fault, null);
  const { status, body } = problemAnswer(error, "request-1");
  assert.deepEqual([status, body.code, body.currentVersion], [412, "version-conflict", 3]);

  const newer = knownError(new VaultError("of-a-newer-version" as "record-absent", "unheard of"));
  assert.equal(newer.error.code, "internal");
});
