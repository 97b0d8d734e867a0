// `strongroom serve`: the service alone, against the regions of the configuration: AWS KMS, or a KMS of one's own.
import { command, type CommandSpec } from "../command.ts";
import { ACCEPT_RESTORE } from "./accept-restore.ts";

/** `strongroom serve`. */
export const serveCommand: CommandSpec = command({
  name: "serve",
  heading: "Start",
  summary: "run the service alone, with the KMS keys of the configuration (AWS KMS)",
  description:
    "keys.regions in the configuration lists the regions, nearest first, each with the ARN of its key:\n" +
    '  { "keys": { "regions": [\n' +
    '    { "region": "eu-west-1",\n' +
    '      "keyArn": "arn:aws:kms:eu-west-1:111122223333:key/…" }] } }\n' +
    "Without an endpoint a region is AWS's own, with the credentials that the AWS SDK finds. Tokens: strongroom " +
    "token create.",
  flagGroups: ["service", "store", "audit-log", "keys", "log"],
  options: { acceptRestore: ACCEPT_RESTORE },
  examples: [
    {
      line: "npx strongroom serve --config strongroom.config.json",
      meaning: "logs go to standard error as JSON lines",
    },
    {
      line: "AWS_PROFILE=vault npx strongroom serve --host 0.0.0.0 --minimum 2",
      meaning: "behind a proxy that ends TLS",
    },
  ],
  run: async ({ context, loaded, options }) => {
    const { runServe } = await import("../installation/serve.ts");
    await runServe(context, loaded.config, options.acceptRestore);
  },
});
