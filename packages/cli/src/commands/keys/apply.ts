// `strongroom keys apply`: shows the plan, asks, begins the run and follows it. The run is the service's: whoever
// follows may leave.
import { given } from "@strongroom/base/command";
import type { Client, ConvergencePlan, ConvergenceRun, ConvergeOptions } from "@strongroom/client";
import { command, type CommandSpec, type Invocation, option, withService } from "../../command.ts";
import { requireYes } from "../../confirm.ts";
import { CliError } from "../../errors.ts";
import { WHY_OPTIONS } from "../audit-options.ts";
import { followRun } from "./follow-run.ts";
import { hasChanges, planView } from "./plan-view.ts";
import { RUN_OPTIONS, runOptionsOf } from "./run-options.ts";
import { summaryView } from "./run-view.ts";

/** `strongroom keys apply`. */
export const keysApplyCommand: CommandSpec = command({
  name: "keys apply",
  heading: "Looking after it",
  summary: "bring everything that is stored under the declared keys, and follow it",
  description:
    "It shows the plan and asks; elsewhere it wants --yes. All processes of the stores work on it, " +
    "beside what they serve; it can be paused, and goes on after a restart by itself. Ctrl-C leaves it running. Old " +
    "wraps go when all new ones are there and proven. A run that holds because of --keep-old goes on with the next " +
    "apply. With --json each event is one line. Exit code 1 when the run was cancelled or undone.",
  flagGroups: ["client"],
  options: {
    ...RUN_OPTIONS,
    force: option(
      "--force",
      "although a process that is alive does not know the declared keys: it will not write from then on",
      given(),
    ),
    detach: option("--detach", "begin it, and do not follow it", given()),
    yes: option("-y, --yes", "begin it without asking", given()),
    ...WHY_OPTIONS,
  },
  examples: [
    { line: "npx strongroom keys apply", meaning: "show the plan, ask, and follow the run" },
    { line: "npx strongroom keys apply --keep-old --rate 500 --yes", meaning: "as far as it can be undone" },
    { line: "npx strongroom keys apply --yes --json | jq .event", meaning: "for programs" },
  ],
  run: withService(async (client, { options, ...invocation }) => {
    await applyRun(
      client,
      invocation,
      { ...runOptionsOf(options), ...(options.force ? { force: true } : {}) },
      options,
    );
  }),
});

/** Where a run is begun, and what the command ends with. */
type Begins = Pick<Invocation, "context" | "endWith">;

/** What a person said of it beforehand. */
export interface ApplyChoices {
  /** Begins it without asking. */
  readonly yes: boolean;
  /** Does not follow it. */
  readonly detach: boolean;
}

/**
 * Shows the plan, asks, begins the run, follows it and sums it up. Nothing is begun where there is nothing to do.
 *
 * @throws CliError `not-confirmed`, and what the service says of a run that it refuses
 */
export async function applyRun(
  client: Client,
  { context, endWith }: Begins,
  asked: ConvergeOptions,
  { yes, detach }: ApplyChoices,
): Promise<void> {
  const { terminal } = context;
  const plan = await client.convergence.plan(asked);
  terminal.result({ event: "plan", ...plan }, (shown) => planView(shown, terminal));
  // A shred that holds has left nothing to do, and is ended all the same: until then it can be undone.
  if (!hasChanges(plan) && (asked.keepOld === true || !(await isHolding(client)))) return;
  if (!isBlocked(plan, asked) && !yes) await requireYes("Begin this run?", context);
  const begun = await begin(client, asked);
  if (detach) {
    terminal.result({ event: "begun", run: begun.id }, (shown) => `The run ${shown.run} has begun.`);
    return;
  }
  const ended = await followRun(client, begun, context);
  if (ended === null) {
    terminal.say(
      "The run goes on. strongroom keys status --watch follows it, strongroom keys pause lets it rest, " +
        "strongroom keys cancel ends it.",
    );
    endWith("interrupted");
    return;
  }
  terminal.result({ event: "end", run: ended }, (shown) => `\n${summaryView(shown.run, terminal)}`);
  if (ended.state === "cancelled" || ended.state === "undone") endWith("failure");
}

/** Then there is nothing to ask: the service refuses it, and says what is in the way. */
function isBlocked({ problems }: ConvergencePlan, { force = false }: ConvergeOptions): boolean {
  return problems.some(({ code, blocks }) => blocks && !(force && code === "fleet-differs"));
}

async function isHolding(client: Client): Promise<boolean> {
  const { run } = await client.convergence.status();
  return run?.state === "running" && run.phase === "hold";
}

async function begin(client: Client, options: ConvergeOptions): Promise<ConvergenceRun> {
  const { run } = await client.convergence.apply(options);
  if (run === null) throw new CliError("service-unintelligible", { detail: "It says that no run has begun." });
  return run;
}
