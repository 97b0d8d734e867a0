import assert from "node:assert/strict";
import { test } from "node:test";
import { EXIT_CODES } from "@strongroom/base/errors";
import type { ErrorRow, ErrorTable, Outcome } from "@strongroom/base/errors";
import { ENVELOPE_ERRORS } from "@strongroom/envelope";
import type { EnvelopeErrorCode } from "@strongroom/envelope";

// The envelope imports no sibling, so it writes the shape of a row out once more: here the compiler compares the two.
const asTable: ErrorTable<EnvelopeErrorCode> = ENVELOPE_ERRORS;
type EnvelopeRow = (typeof ENVELOPE_ERRORS)[EnvelopeErrorCode];
const asEnvelopeRow = (row: ErrorRow & { readonly outcome: Exclude<Outcome, "ok"> }): EnvelopeRow => row;

test("rows of the envelope's table are rows like those of every package", () => {
  for (const [code, row] of Object.entries(asTable)) {
    assert.ok(Object.hasOwn(EXIT_CODES, row.outcome), `${code}: ${row.outcome}`);
    assert.ok(Number.isInteger(row.status) && row.status >= 400 && row.status < 600, `${code}: ${row.status}`);
  }
  const { title, remedy, status } = ENVELOPE_ERRORS.aborted;
  const outcomes = Object.keys(EXIT_CODES).filter((outcome) => outcome !== "ok") as Exclude<Outcome, "ok">[];
  for (const outcome of outcomes) assert.equal(asEnvelopeRow({ title, remedy, status, outcome }).outcome, outcome);
});
