// `strongroom kms serve`: the KMS alone, in the foreground; also what `strongroom up` starts as a process of its own.
import { command, type CommandSpec } from "../command/spec.ts";

/** `strongroom kms serve`. */
export const kmsServeCommand: CommandSpec = command({
  name: "kms serve",
  heading: "Start",
  summary: "run the KMS alone: several regions, each on a port of its own",
  description:
    "It speaks the AWS KMS API, signed requests only. The access key pair is made at first start, in " +
    "kms/credentials.json of the data folder.",
  flagGroups: ["kms", "log"],
  options: {},
  examples: [
    { line: "npx strongroom kms serve", meaning: "three regions on ports 8201 to 8203" },
    {
      line: "npx strongroom kms serve --region eu-west-1=9001 --region us-east-1=9002 --data-dir /srv/kms",
      meaning: "two regions of your choice",
    },
  ],
  run: async ({ context, loaded }) => {
    const { runKms } = await import("../installation/kms.ts");
    await runKms(context, loaded.config);
  },
});
