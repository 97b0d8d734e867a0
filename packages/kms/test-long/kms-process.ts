// A KMS in a process of its own, to be killed: prints its endpoint as JSON once it listens.

import { join } from "node:path";
import { createKms } from "@strongroom/kms";

const [dataDir = "", witness] = process.argv.slice(2);
const kms = await createKms({
  dataDir,
  regions: [{ name: "eu-west-1", port: 0 }],
  rootKey: { kind: "file", path: join(dataDir, "root.key") },
  ...(witness !== undefined && { witness: { kind: "file", path: witness } }),
});
process.stdout.write(`${JSON.stringify({ endpoint: kms.endpoints["eu-west-1"], credentials: kms.credentials })}\n`);
