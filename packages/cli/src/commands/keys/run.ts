// `strongroom keys status|pause|resume|cancel|undo`: where a run is, and what is done with it.
import { given } from "@strongroom/base/command";
import type { ConvergenceStatus } from "@strongroom/client";
import { printableCopy, type Terminal } from "@strongroom/base/terminal";
import { z } from "zod";
import { command, type CommandSpec, option, withService } from "../../command.ts";
import { requireYes } from "../../confirm.ts";
import { CliError } from "../../errors.ts";
import { WHY_OPTIONS } from "../audit-options.ts";
import { watch } from "../watch.ts";
import { runView, watchedRun } from "./run-view.ts";

/** `strongroom keys status`. */
export const keysStatusCommand: CommandSpec = command({
  name: "keys status",
  heading: "Looking after it",
  summary: "show the present run or the last one: how far it is, what it waits for, who works on it",
  description:
    "With --watch it is drawn again every second on a terminal; where output goes elsewhere, each step is one line. " +
    "Ctrl-C ends it, and not the run.",
  flagGroups: ["client"],
  options: { watch: option("-w, --watch", "keep showing it, until Ctrl-C", given()) },
  examples: [
    { line: "npx strongroom keys status", meaning: "where the run is" },
    { line: "npx strongroom keys status --watch", meaning: "the same, as it goes on" },
  ],
  run: withService(async (client, { context, options }) => {
    const { terminal, signal } = context;
    const watched = watchedRun(() => client.convergence.status());
    if (options.watch) await watch(terminal, watched, signal);
    else {
      const status = await watched.look();
      terminal.result(watched.result(status), () => watched.view(printableCopy(status), terminal));
    }
  }),
});

const reason = (isNeeded: "needed" | "optional") =>
  option(
    "--reason <text>",
    `why; it is in the audit${isNeeded === "needed" ? "" : " (default: by hand)"}`,
    z
      .string()
      .trim()
      .min(1, "must not be empty")
      .max(200, "must have at most 200 characters")
      .regex(/^[^\p{Cc}]*$/u, "must have no control characters")
      .optional(),
  );

/** `strongroom keys pause`. */
export const keysPauseCommand: CommandSpec = command({
  name: "keys pause",
  heading: "Looking after it",
  summary: "let the run rest: what is done stays, and nothing more is begun",
  flagGroups: ["client"],
  options: { reason: reason("optional"), ...WHY_OPTIONS },
  examples: [{ line: "npx strongroom keys pause --reason 'the import needs the quota'", meaning: "in every process" }],
  run: withService(async (client, { context, options }) => {
    show(await client.convergence.pause(options.reason ?? "by hand"), context.terminal);
    context.terminal.say("strongroom keys resume lets it go on.");
  }),
});

/** `strongroom keys resume`. */
export const keysResumeCommand: CommandSpec = command({
  name: "keys resume",
  heading: "Looking after it",
  summary: "let a run go on, and try at once what has failed",
  flagGroups: ["client"],
  options: { ...WHY_OPTIONS },
  examples: [{ line: "npx strongroom keys resume", meaning: "from where it was" }],
  run: withService(async (client, { context }) => {
    show(await client.convergence.resume(), context.terminal);
  }),
});

/** `strongroom keys cancel`. */
export const keysCancelCommand: CommandSpec = command({
  name: "keys cancel",
  heading: "Looking after it",
  summary: "end the run where it is: what is done stays, and another run goes on from there",
  flagGroups: ["client"],
  options: { reason: reason("needed"), ...WHY_OPTIONS },
  examples: [{ line: "npx strongroom keys cancel --reason 'another key first'", meaning: "nothing is lost" }],
  run: withService(async (client, { context, options }) => {
    show(await client.convergence.cancel(requireReason(options.reason)), context.terminal);
  }),
});

/** `strongroom keys undo`. */
export const keysUndoCommand: CommandSpec = command({
  name: "keys undo",
  heading: "Looking after it",
  summary: "go back to the keys of before the run, as long as old wraps are there",
  description:
    "The key sets of before are put in force again, new wraps go and old messages come back, until the run drops old " +
    "wraps; --keep-old of keys apply keeps them. On a terminal it asks first; elsewhere it wants --yes.",
  flagGroups: ["client"],
  options: {
    reason: reason("needed"),
    yes: option("-y, --yes", "do it without asking", given()),
    ...WHY_OPTIONS,
  },
  examples: [
    { line: "npx strongroom keys undo --reason 'the new key is in the wrong account'", meaning: "ask, and go back" },
  ],
  run: withService(async (client, { context, options }) => {
    const why = requireReason(options.reason);
    if (!options.yes) await requireYes("Go back to the keys of before this run?", context);
    show(await client.convergence.undo(why), context.terminal);
    context.terminal.say("strongroom keys status --watch follows it.");
  }),
});

function show(status: ConvergenceStatus, terminal: Terminal): void {
  terminal.result(status, (shown) => runView(shown, terminal));
}

/** @throws CliError `usage` */
function requireReason(given: string | undefined): string {
  if (given !== undefined) return given;
  throw new CliError("usage", { detail: "It needs a reason, which is in the audit: --reason TEXT." });
}
