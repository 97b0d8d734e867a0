// `strongroom collection apply`, `rotate-key` and `drop`: work on indexes, which the service does beside everything
// else, and which is followed here.
import { given } from "@strongroom/base/command";
import type { Client, CollectionInfo, IndexWork } from "@strongroom/client";
import { command, type CommandContext, type CommandSpec, type Invocation, option, withService } from "../../command.ts";
import { requireYes } from "../../confirm.ts";
import { WHY_OPTIONS } from "../audit-options.ts";
import { appliedView, followWork, hasWork, planTable } from "./views.ts";

const YES = option("-y, --yes", "do it without asking", given());

/** `strongroom collection apply`. */
export const collectionApplyCommand: CommandSpec = command({
  name: "collection apply",
  args: "[collection]",
  heading: "Looking after it",
  summary: "build the indexes that are declared, and drop those that are not",
  description:
    "Beside live traffic: every record is opened once, and an index is used when all have their tags. What was " +
    "interrupted goes on. Every process must declare the same before. Exit code 1 where a value that is to be unique " +
    "comes twice, or a record cannot be opened.",
  flagGroups: ["client"],
  options: { yes: YES, ...WHY_OPTIONS },
  examples: [
    { line: "npx strongroom collection apply", meaning: "after a field was declared with find" },
    { line: "npx strongroom collection apply customers --yes --json", meaning: "for programs" },
  ],
  run: withService(async (client, { context, args, options, endWith }) => {
    const [collection] = args;
    const { terminal } = context;
    const [indexes, collections] = [await client.indexes.plan({ collection }), await client.collections()];
    if (terminal.mode === "human") terminal.say(planTable(indexes, terminal));
    if (!hasWork(indexes, collections)) {
      terminal.result({ applied: null }, () => "Everything is as declared.");
      return;
    }
    if (!options.yes) await requireYes("Do this?", context);
    await follow(client, await client.indexes.apply({ collection }), { context, collections, endWith });
  }),
});

/** `strongroom collection rotate-key`. */
export const collectionRotateKeyCommand: CommandSpec = command({
  name: "collection rotate-key",
  heading: "Looking after it",
  summary: "make another key of the indexes, and build every index anew under it",
  description: "Records are found, and unique values are unique, all the while. It opens every record once.",
  flagGroups: ["client"],
  options: { yes: YES, ...WHY_OPTIONS },
  examples: [{ line: "npx strongroom collection rotate-key", meaning: "once a year, and when the key may be known" }],
  run: withService(async (client, { context, options, endWith }) => {
    if (!options.yes) await requireYes("Make another key, and build every index anew?", context);
    const collections = await client.collections();
    await follow(client, await client.indexes.rotateKey(), { context, collections, endWith });
  }),
});

/** `strongroom collection drop`. */
export const collectionDropCommand: CommandSpec = command({
  name: "collection drop",
  args: "<collection> <index>",
  heading: "Looking after it",
  summary: "drop an index with all of its tags",
  description: "One that is still declared is built anew by the next apply; until then nothing is found by it.",
  flagGroups: ["client"],
  options: { yes: YES, ...WHY_OPTIONS },
  examples: [{ line: "npx strongroom collection drop customers email:prefix", meaning: "that nobody needs any more" }],
  run: withService(async (client, { context, args, options, endWith }) => {
    const [collection = "", index = ""] = args;
    if (!options.yes) await requireYes("Drop it with all of its tags?", context);
    await follow(client, await client.indexes.drop(collection, index), { context, collections: [], endWith });
  }),
});

interface Following extends Pick<Invocation, "endWith"> {
  readonly context: CommandContext;
  readonly collections: readonly CollectionInfo[];
}

async function follow(client: Client, begun: IndexWork, { context, collections, endWith }: Following): Promise<void> {
  const { applied } = await followWork(client, begun, context, collections);
  const { terminal } = context;
  terminal.result({ applied }, (shown) =>
    shown.applied === null ? "It is done." : appliedView(shown.applied, terminal),
  );
  if (applied !== null && applied.duplicates.length + applied.unopened.length > 0) endWith("failure");
}
