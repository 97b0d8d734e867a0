import assert from "node:assert/strict";
import { test } from "node:test";
import { knownError } from "../../src/http/problems.ts";

test("what Fastify finds wrong with a body is told in whole words", () => {
  const told = (code: string): string => knownError(Object.assign(new Error("its own words"), { code })).error.message;
  assert.equal(told("FST_ERR_CTP_INVALID_CONTENT_LENGTH"), "The body is not as long as Content-Length says");
  assert.equal(told("FST_ERR_CTP_BODY_TOO_LARGE"), "The body is larger than this route takes");
  assert.equal(told("ECONNRESET"), "The connection was closed before the body was complete");
});
