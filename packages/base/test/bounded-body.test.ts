import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { boundedText } from "../src/bounded-body.ts";

describe("a bounded body", () => {
  it("is read up to its bound, and given up there: no more is taken from what has no end", async () => {
    assert.equal(await boundedText(new Response("äb"), 3), "äb");
    assert.equal(await boundedText(new Response(null), 3), "");
    await assert.rejects(boundedText(new Response("äb"), 2), /too long/);
    let taken = 0;
    let isCancelled = false;
    const endless = new ReadableStream({
      pull: (controller) => {
        taken += 1;
        controller.enqueue(new Uint8Array(1000));
      },
      cancel: () => {
        isCancelled = true;
      },
    });
    await assert.rejects(boundedText(new Response(endless), 10_000), /too long/);
    assert.ok(taken < 20 && isCancelled);
  });
});
