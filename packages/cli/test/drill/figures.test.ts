import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type Call,
  failoverMs,
  phaseFigures,
  quantile,
  type ReadCall,
  type WriteCall,
} from "../../src/drill/figures.ts";

const SPAN = { from: 10_000, to: 20_000 };

function read(startedAt: number, elapsedMs: number, code: string | null = null): ReadCall {
  return { kind: "read", startedAt, elapsedMs, code, outcome: code === null ? "ok" : "failed" };
}

function write(startedAt: number, elapsedMs: number, said: Partial<WriteCall> = {}): WriteCall {
  return {
    kind: "write",
    startedAt,
    elapsedMs,
    code: null,
    outcome: "ok",
    stored: 3,
    missing: [],
    isNew: true,
    ...said,
  };
}

/** A read every 20 ms, as long as `elapsedMs` says. */
function reads(elapsedMs: (at: number) => number): Call[] {
  return Array.from({ length: 500 }, (_, index) => SPAN.from + index * 20).map((at) => read(at, elapsedMs(at)));
}

describe("the figures of a phase", () => {
  it("count what was answered, refused, failed and stored with debt", () => {
    const figures = phaseFigures(
      [
        read(0, 4),
        read(0, 8),
        read(0, 900, "service-unreachable"),
        write(0, 20),
        write(0, 30, { stored: 2, missing: ["eu-west-1"] }),
        write(0, 5, { outcome: "refused", code: "wraps-below-minimum", stored: 0 }),
        write(0, 2000, { outcome: "failed", code: "deadline-exceeded", stored: 0 }),
      ],
      { from: 1000, to: 3500 },
    );
    assert.deepEqual(figures, {
      seconds: 2.5,
      reads: 3,
      failedReads: 1,
      writes: 4,
      refusedWrites: 1,
      failedWrites: 1,
      missingWraps: 1,
      readMs: { p50: 4, p99: 8 },
      writeMs: { p50: 20, p99: 30 },
      slowestMs: 2000,
      codes: { "service-unreachable": 1, "wraps-below-minimum": 1, "deadline-exceeded": 1 },
    });
  });

  it("have no latency where nothing was answered", () => {
    const { readMs, writeMs, slowestMs } = phaseFigures([], SPAN);
    assert.deepEqual({ readMs, writeMs, slowestMs }, { readMs: null, writeMs: null, slowestMs: 0 });
  });

  it("have quantiles that are values, with so many at or below them", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1e6 }), { minLength: 1 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (values, fraction) => {
          const found = quantile(values, fraction);
          assert.ok(found !== null && values.includes(found));
          assert.ok(values.filter((value) => value <= found).length >= fraction * values.length);
          assert.ok(values.filter((value) => value < found).length < fraction * values.length);
        },
      ),
    );
  });
});

describe("the failover time", () => {
  const healthy = phaseFigures([read(0, 10), write(0, 40)], SPAN);

  it("is nothing where latency never left its band", () => {
    assert.equal(
      failoverMs(
        reads(() => 60),
        healthy,
        SPAN,
      ),
      0,
    );
  });

  it("ends with the slow request after which one in twenty is slow at most", () => {
    const until = SPAN.from + 2000;
    // Slow requests begin until 1980 ms; from 1960 ms on they are two of fifty.
    assert.equal(
      failoverMs(
        reads((at) => (at < until ? 500 : 10)),
        healthy,
        SPAN,
      ),
      1960,
    );
  });

  it("does not begin anew for a slow request here and there", () => {
    assert.equal(
      failoverMs(
        reads((at) => (at % 1000 === 0 ? 500 : 10)),
        healthy,
        SPAN,
      ),
      0,
    );
  });

  it("is unknown where latency stayed out of its band", () => {
    assert.equal(
      failoverMs(
        reads(() => 500),
        healthy,
        SPAN,
      ),
      null,
    );
  });

  it("counts errors as slow, however soon they come, and refusals not", () => {
    assert.equal(failoverMs([read(SPAN.from, 1, "server-error"), read(SPAN.from + 50, 1)], healthy, SPAN), 1);
    assert.equal(
      failoverMs([write(SPAN.from, 1, { outcome: "refused", code: "wraps-below-minimum" })], healthy, SPAN),
      0,
    );
  });

  it("has a band for reads and one for writes", () => {
    assert.equal(failoverMs([read(SPAN.from, 120)], healthy, SPAN), null);
    assert.equal(failoverMs([write(SPAN.from, 120)], healthy, SPAN), 0);
  });
});
