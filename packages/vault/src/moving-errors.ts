/**
 * What can go wrong when a table of an application moves into the vault: these rows of the vault's table of errors
 * (errors.ts).
 */
import type { ErrorTable } from "@strongroom/base/errors";

/** A code of {@link MOVING_ERRORS}. */
export type MovingErrorCode = "move-absent" | "move-stage" | "move-held" | "move-not-whole" | "move-table-unfit";

/** Code -> what it stands for. */
export const MOVING_ERRORS: ErrorTable<MovingErrorCode> = {
  "move-absent": {
    title: "There is no such move",
    remedy: "Ask strongroom move plan what a move would take; strongroom move start begins it.",
    outcome: "absent",
    status: 404,
  },
  "move-stage": {
    title: "The move is in another stage",
    remedy: "Ask strongroom move status in which, and which step comes next; strongroom move back goes one back.",
    outcome: "conflict",
    status: 409,
  },
  "move-held": {
    title: "Another process works on this move",
    remedy: "Wait until it has ended. One that was killed is waited for half a minute.",
    outcome: "conflict",
    status: 409,
  },
  "move-not-whole": {
    title: "Table and vault do not say the same",
    remedy:
      "The keys that are named say which rows. Correct those rows or have the application write both, then run " +
      "strongroom move backfill and strongroom move verify.",
    outcome: "refused",
    status: 409,
  },
  "move-table-unfit": {
    title: "The table cannot be moved as it was described",
    remedy: "Correct what is listed: the table, its key, its columns. Nothing was changed.",
    outcome: "usage",
    status: 400,
  },
};
