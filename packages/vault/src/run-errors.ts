/**
 * What can go wrong with a run of the convergence: rows of the table of errors.
 */
import type { ErrorTable } from "@strongroom/base/errors";

/** Codes about runs. */
export type RunErrorCode = "run-absent" | "run-under-way" | "run-refused" | "run-not-undoable";

export const RUN_ERRORS: ErrorTable<RunErrorCode> = {
  "run-absent": {
    title: "There is no run of the convergence",
    remedy: "strongroom keys plan shows what is to be done, strongroom keys apply begins it.",
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
    remedy: "strongroom keys plan lists it. A process that does not know the declared keys would stop writing.",
    outcome: "conflict",
    status: 409,
  },
  "run-not-undoable": {
    title: "Old wraps are gone: the run cannot be undone",
    remedy: "Declare the key set of before as the next one, and begin a run that brings everything there.",
    outcome: "conflict",
    status: 409,
  },
};
