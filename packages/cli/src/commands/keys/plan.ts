// `strongroom keys plan`: what is stored beside the keys that are declared, what a run would do, and what it costs.
import { given } from "@strongroom/base/command";
import { command, type CommandSpec, option, withService } from "../../command.ts";
import { hasChanges, planView } from "./plan-view.ts";
import { RUN_OPTIONS, runOptionsOf } from "./run-options.ts";

/** `strongroom keys plan`. */
export const keysPlanCommand: CommandSpec = command({
  name: "keys plan",
  heading: "Looking after it",
  summary: "show what lies under which keys, what a run would change, its KMS calls, its price and its time",
  description:
    "What is stored is compared with the keys that the service was started with. Nothing is changed and no record is " +
    "opened. + marks wraps that come, - those that go, ~ what changes. The price is AWS's list price for requests; " +
    "the time is what the calls take at --rate. strongroom keys apply does what the plan says.",
  flagGroups: ["client"],
  options: {
    ...RUN_OPTIONS,
    exitCode: option("--exit-code", "end with exit code 1 when there is something to do", given()),
  },
  examples: [
    { line: "npx strongroom keys plan", meaning: "what there is to do, and what it takes" },
    { line: "npx strongroom keys plan --quota 10000 --share 0.1", meaning: "at a tenth of what the KMS allows" },
    { line: "npx strongroom keys plan --exit-code --json", meaning: "for a program that watches" },
  ],
  run: withService(async (client, { context, options, endWith }) => {
    const plan = await client.convergence.plan(runOptionsOf(options));
    context.terminal.result(plan, (shown) => planView(shown, context.terminal));
    if (!hasChanges(plan)) return;
    context.terminal.say("strongroom keys apply does this.");
    if (options.exitCode) endWith("failure");
  }),
});
