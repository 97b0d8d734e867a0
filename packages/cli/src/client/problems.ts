// Turns a problem of the service (RFC 9457, application/problem+json) into an error with what to do and the right exit
// code.
import type { Outcome } from "@strongroom/base/errors";
import { z } from "zod";
import { CliError, type CliErrorOptions } from "../errors.ts";

const problemSchema = z.object({
  title: z.string().default("The service refused the request"),
  code: z.string(),
  detail: z.string().optional(),
  remedy: z.string().optional(),
  requestId: z.string().optional(),
  problems: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  regions: z.array(z.object({ region: z.string(), reason: z.string() })).optional(),
});

/**
 * HTTP status -> outcome, where the code does not say more. 507 (the service's disk is full) stays a failure: it does
 * not pass by itself.
 */
const OUTCOME_BY_STATUS: Readonly<Record<number, Outcome>> = {
  400: "usage",
  401: "not-allowed",
  403: "not-allowed",
  404: "absent",
  409: "conflict",
  411: "usage",
  412: "conflict",
  413: "usage",
  414: "usage",
  415: "usage",
  422: "usage",
  429: "unavailable",
  431: "usage",
  499: "interrupted",
  502: "unavailable",
  503: "unavailable",
  504: "unavailable",
};

/** Codes that say that stored data was refused, whatever their status. */
const REFUSED_CODE = /^record-(moved|rolled-back|tampered)/;

const REMEDY_BY_OUTCOME: Readonly<Partial<Record<Outcome, string>>> = {
  usage: "Correct the request; strongroom help COMMAND shows what is expected.",
  "not-allowed":
    "Use a token with the scope that is needed; strongroom token create makes one on the service's machine.",
  absent: "strongroom list COLLECTION shows what is there.",
  unavailable: "Try again in a moment; strongroom regions and strongroom doctor show what is wrong.",
};

/** Reads the answer and makes the error; what is not a problem document becomes `service-unintelligible`. */
export async function problemError(response: Response): Promise<CliError> {
  const parsed = problemSchema.safeParse(await response.json().catch(() => undefined));
  if (!parsed.success) {
    return new CliError("service-unintelligible", {
      detail: `It answered with status ${response.status} and no problem description.`,
    });
  }
  const { title, code, detail, remedy, requestId, regions = [], problems = [] } = parsed.data;
  const outcome: Outcome = REFUSED_CODE.test(code) ? "refused" : (OUTCOME_BY_STATUS[response.status] ?? "failure");
  const options: CliErrorOptions = {
    title,
    outcome,
    reportedCode: code,
    remedy: remedy ?? REMEDY_BY_OUTCOME[outcome] ?? `Look for request ${requestId ?? "(no id)"} in the service's log.`,
    problems: [
      ...regions.map(({ region, reason }) => `${region}: ${reason}`),
      ...problems.map(({ path, message }) => `${path}: ${message}`),
    ],
    ...(detail === undefined || detail === title ? {} : { detail }),
  };
  return new CliError("service-refused", options);
}
