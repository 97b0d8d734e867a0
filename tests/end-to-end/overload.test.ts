/**
 * The service asked for many times what it can do: each request is answered, by what was asked for or by a refusal that
 * says when to come again. How much it does meanwhile is for the long trial, on a machine of its own.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LoadTrial } from "../support/load-trial.ts";

test("a burst is answered or refused, with a time to come again; no breaker opens, and the service is ready", async () => {
  await using trial = await LoadTrial.start();
  const burst = await trial.load("burst", { kind: "burst", requests: 600 }, 60_000);
  assert.ok(burst.good > 0);
  assert.equal(burst.opened, 0);
  assert.equal(burst.retryAfter.missing, 0);
  assert.deepEqual(
    Object.keys(burst.others).filter((what) => !/^(503 overloaded|429 token-limit)$/.test(what)),
    [],
  );
  assert.equal(burst.good + burst.retryAfter.said, burst.sent);
  assert.ok(await trial.installation.ready());
});
