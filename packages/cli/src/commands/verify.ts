// `strongroom verify`: opens everything that the vault keeps, or a sample, and holds it against the audit.
import { given, oneOfOr, text, wholeNumber } from "@strongroom/base/command";
import { z } from "zod";
import { command, type CommandSpec, option } from "../command.ts";

const rate: z.ZodType<number | undefined> = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,3})?$/, "must be a number above 0, such as 200")
  .transform(Number)
  .refine((value) => value > 0, "must be a number above 0, such as 200")
  .optional();

/** `strongroom verify`. */
export const verifyCommand: CommandSpec = command({
  name: "verify",
  heading: "Looking after it",
  summary: "open every version of every record, and every key, and hold all of it against the audit",
  description:
    "Finds what reads would refuse, and what no read comes upon: records and versions that are gone, people without " +
    "keys, wraps that do not open. Nothing of anybody's data is shown. It opens the stores and asks the KMS itself, " +
    "as one process more: beside a running strongroom up or serve over the KMS that these use, and alone over a KMS " +
    "that it starts for as long as it lasts. So it sees what lies in the stores and believes no service, and a " +
    "service that does not start can be looked at. It changes nothing unless --repair-wraps is given. Ctrl-C ends it " +
    "and names the cursor at which another one goes on. Exit code 5 if something is wrong, 7 if something could not " +
    "be opened now.",
  flagGroups: ["store", "audit-log", "root-key", "audit"],
  options: {
    collection: option("--collection <name>", "only this collection's records (default: everything)", text()),
    sample: option("--sample <n>", "so many records, people and keys, drawn at random", wholeNumber(1, 1_000_000)),
    seed: option("--seed <text>", "draw the same ones as the verification that named this seed", text()),
    regions: option(
      "--regions <which>",
      "each: open every wrap in its own region; any: each key by the first that opens (default: any)",
      oneOfOr("any", ["any", "each"]),
    ),
    repairWraps: option(
      "--repair-wraps",
      "make wraps that do not open, beside others that do, owed: the service's repair makes new ones",
      given(),
    ),
    rate: option("--rate <n>", "records, people and keys a second, at most (default: as fast as it goes)", rate),
    after: option("--after <cursor>", "go on where another verification ended", text()),
    all: option("--all", "verify the log of the audit too, as audit verify does", given()),
  },
  examples: [
    { line: "npx strongroom verify", meaning: "everything, beside a running service or alone" },
    { line: "npx strongroom verify --sample 1000 --rate 50", meaning: "a thousand at random, gently" },
    { line: "npx strongroom verify --regions each --repair-wraps", meaning: "would each region alone be enough?" },
    { line: "npx strongroom verify --json | jq 'select(.event == \"finding\")'", meaning: "for programs" },
  ],
  run: async ({ context, loaded, options, endWith }) => {
    const { runVerify } = await import("../verify/run-verify.ts");
    const verdict = await runVerify(context, loaded.config, options);
    if (verdict === "problems") endWith("refused");
    if (verdict === "incomplete") endWith("unavailable");
  },
});
