/**
 * The codes that a request can end with, for the OpenAPI document: as a closed choice, and with each code's row of the
 * error tables beside it, so that a client has titles, remedies and outcomes from here and needs no table of its own.
 */
import { VAULT_ERRORS } from "@strongroom/vault";
import { z } from "zod";
import { SERVER_ERRORS } from "../errors.ts";
import type { ProblemCode } from "../problems.ts";

/** Codes of starting, of the repair, and of clients that are gone: no answer has them. */
const NEVER_ANSWERED: ReadonlySet<string> = new Set<ProblemCode>([
  "aborted",
  "option-invalid",
  "store-newer",
  "token-absent",
  "wraps-still-missing",
  "wraps-would-be-lost",
]);

const ROWS = Object.entries({ ...SERVER_ERRORS, ...VAULT_ERRORS })
  .filter(([code]) => !NEVER_ANSWERED.has(code))
  .map(([code, { title, remedy, outcome, status }]) => ({ code, title, remedy, outcome, status }));

/** A code of a problem, or of a refused item of a batch. */
export const errorCode: z.ZodType = z.enum(ROWS.map(({ code }) => code)).meta({
  id: "ErrorCode",
  description:
    "Stable; what a program decides by. `x-strongroom-errors` says of each code what it means, what to do, how a " +
    "command ends with it, and the status of the answer.",
  "x-strongroom-errors": ROWS,
});
