import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { nearest } from "../../src/settings/given.ts";

describe("nearest", () => {
  it("finds the name that was meant", () => {
    assert.equal(nearest("prot", ["port", "host"]), "port");
    assert.equal(nearest("minumum", ["minimum", "target"]), "minimum");
  });

  it("does not guess wildly", () => {
    assert.equal(nearest("banana", ["port", "host"]), null);
    assert.equal(nearest("x", []), null);
  });

  it("gives an equal name before all others, a name with one change, and the same both ways", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (one, other) => {
        assert.equal(nearest(one, [`${one}x`, other, one]), one);
        assert.equal(nearest(one, [`${one}x`]), `${one}x`);
        assert.equal(nearest(`${one}x`, [one]), one);
        const length = Math.max(one.length, other.length);
        if (length < 9) assert.equal(nearest(one, [other]) === null, nearest(other, [one]) === null);
      }),
    );
  });
});
