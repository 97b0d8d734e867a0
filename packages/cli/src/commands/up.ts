// `strongroom up`: everything on one machine in one command.
import { command, type CommandSpec } from "../command.ts";
import { ACCEPT_RESTORE } from "./accept-restore.ts";

/** `strongroom up`. */
export const upCommand: CommandSpec = command({
  name: "up",
  heading: "Start",
  summary: "run everything on this machine: a KMS with three regions, and the service",
  description:
    "Keys, an access token and the data folder are made at first start. Ctrl-C ends it; the next start finds " +
    "everything again.",
  flagGroups: ["service", "store", "audit-log", "regions", "root-key", "witness", "audit", "faults", "keys", "log"],
  options: { acceptRestore: ACCEPT_RESTORE },
  examples: [
    { line: "npx strongroom up", meaning: "service on port 8200, data in ./strongroom-data" },
    { line: "npx strongroom up --port 9200 --data-dir /srv/strongroom", meaning: "another port and folder" },
    { line: "npx strongroom up --allow-faults", meaning: "to try what happens when a region is lost" },
  ],
  run: async ({ context, loaded, options }) => {
    const { runUp } = await import("../installation/up.ts");
    await runUp(context, loaded.config, options.acceptRestore);
  },
});
