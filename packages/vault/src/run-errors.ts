/**
 * What can go wrong with a run of the convergence, and with what two principals must agree on: rows of the table of
 * errors.
 */
import type { ErrorTable } from "@strongroom/base/errors";

/** Codes about runs. */
export type RunErrorCode =
  | "run-absent"
  | "run-under-way"
  | "run-refused"
  | "run-not-undoable"
  | "approval-absent"
  | "approval-own"
  | "approval-contended"
  | "approval-missing";

export const RUN_ERRORS: ErrorTable<RunErrorCode> = {
  "run-absent": {
    title: "There is no run of the convergence",
    remedy: "See what is to be done (strongroom keys plan), and begin it: strongroom keys apply.",
    outcome: "absent",
    status: 404,
  },
  "run-under-way": {
    title: "A run of the convergence is under way",
    remedy: "Wait for its end (strongroom keys status --watch), or end it: strongroom keys cancel.",
    outcome: "conflict",
    status: 409,
  },
  "run-refused": {
    title: "The plan has a problem that is in the way",
    remedy:
      "Look at it: strongroom keys plan. A process that does not know the declared keys would stop writing; one that " +
      "was killed counts as alive for a minute.",
    outcome: "conflict",
    status: 409,
  },
  "run-not-undoable": {
    title: "Old wraps are gone: the run cannot be undone",
    remedy: "Declare the key set of before as the next one, and begin a run that brings everything there.",
    outcome: "conflict",
    status: 409,
  },
  "approval-absent": {
    title: "Nobody has asked for that, or it is out of date",
    remedy: "Ask for it first, as another principal: a request counts for seven days.",
    outcome: "absent",
    status: 404,
  },
  "approval-own": {
    title: "Who asks for it does not approve it",
    remedy: "Have another principal approve it, with a token of their own.",
    outcome: "not-allowed",
    status: 403,
  },
  "approval-contended": {
    title: "Others change the same approval at the same time",
    remedy: "Try again.",
    outcome: "conflict",
    status: 409,
  },
  "approval-missing": {
    title: "Two principals are needed for that",
    remedy: "One asks for it and another one approves it; then it is done within seven days.",
    outcome: "not-allowed",
    status: 403,
  },
};
