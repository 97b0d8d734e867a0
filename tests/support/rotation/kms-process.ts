/**
 * The project's own KMS in a process of its own, so that it and the vault share no thread: it prints its clients'
 * options as one line, and ends when its input does.
 */
import { once } from "node:events";
import { createKms } from "@strongroom/kms";

const [folder = "", ...regions] = process.argv.slice(2);
const kms = await createKms({
  dataDir: folder,
  regions: regions.map((name) => ({ name, port: 0 })),
  rootKey: { kind: "file", path: `${folder}.root-key` },
});
process.stdout.write(`${JSON.stringify(regions.map((region) => kms.clientConfig(region)))}\n`);
process.stdin.resume();
await once(process.stdin, "end");
await kms.close();
