// `strongroom regions`: the health of each region as the service saw it in real calls; with --watch, as it changes.
import { given } from "@strongroom/base/command";
import { command, type CommandSpec, option } from "../command/spec.ts";
import { withService } from "../service.ts";
import { regionsResult, regionsView } from "./regions-view.ts";
import { watchRegions } from "./regions-watch.ts";

/** `strongroom regions`. */
export const regionsCommand: CommandSpec = command({
  name: "regions",
  heading: "Looking after it",
  summary: "show the health of each region, as seen in real calls",
  description:
    "With --watch the table is drawn again every second on a terminal; where output goes elsewhere, each change " +
    "is one line. Ctrl-C ends it.",
  flagGroups: ["client"],
  options: { watch: option("-w, --watch", "keep showing it, until Ctrl-C", given()) },
  examples: [
    {
      line: "npx strongroom regions",
      meaning: "state, latency, failures and breaker of each region, and the wraps that are owed",
    },
    { line: "npx strongroom regions --watch", meaning: "the same, as it changes" },
  ],
  run: withService(async (client, { context, options }) => {
    const { terminal, signal } = context;
    if (options.watch) {
      await watchRegions(terminal, () => client.regions(), signal);
      return;
    }
    const answer = await client.regions();
    terminal.result(regionsResult(answer), () => regionsView(answer, terminal));
  }),
});
