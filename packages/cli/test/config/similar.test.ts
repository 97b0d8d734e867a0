import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { editDistance, nearest } from "../../src/config/similar.ts";

describe("nearest", () => {
  it("finds the name that was meant", () => {
    assert.equal(nearest("prot", ["port", "host"]), "port");
    assert.equal(nearest("minumum", ["minimum", "target"]), "minimum");
  });

  it("does not guess wildly", () => {
    assert.equal(nearest("banana", ["port", "host"]), null);
    assert.equal(nearest("x", []), null);
  });

  it("measures a distance: zero for equal texts, the same both ways, one for one change", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (one, other) => {
        assert.equal(editDistance(one, one), 0);
        assert.equal(editDistance(one, other), editDistance(other, one));
        assert.equal(editDistance(one, `${one}x`), 1);
      }),
    );
  });
});
