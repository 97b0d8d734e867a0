// The audit of an installation, as its commands give it out: a person's access log as the file that is handed to her, and
// checkpoints as they are printed to be kept elsewhere.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Installation } from "../../end-to-end/installation.ts";
import type { ClaimedKey, ClaimedLog } from "./verifier.ts";

const ROUNDS = 4;

interface AccessLogFile {
  readonly key: string;
  readonly checkpoint: string;
  readonly entries: readonly { readonly text: string | null; readonly proof: string }[];
}

/** Makes it; the installation is gone when it is made. */
export async function commandLog(): Promise<ClaimedLog> {
  await using installation = await Installation.start();
  const run = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await installation.run(args);
    if (code !== 0) throw new Error(`strongroom ${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  const checkpoints: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await installation.request("PUT", "/v1/records/people/ada", { round }, { "strongroom-subject": "ada" });
    await installation.request("GET", "/v1/records/people/ada", undefined, { "strongroom-ticket": `T-${round}` });
    checkpoints.push(await run("audit", "checkpoint"));
  }
  const path = join(installation.folder, "ada-access.json");
  await run("audit", "access-log", "ada", "--out", path);
  const file = JSON.parse(readFileSync(path, "utf8")) as AccessLogFile;
  const keys: readonly ClaimedKey[] = [{ vkey: file.key, isEd25519: true }];
  const inclusions = file.entries.flatMap(({ text, proof }) =>
    text === null ? [] : [{ kind: "inclusion", keys, proof, of: text } as const],
  );
  if (inclusions.length < 2 * ROUNDS) throw new Error("the access log lacks entries");
  const notes = [...checkpoints, file.checkpoint];
  return {
    name: "the audit of an installation, by `strongroom audit access-log` and `strongroom audit checkpoint`",
    claims: [...inclusions, ...notes.map((proof) => ({ kind: "checkpoint", keys, proof, of: "" }) as const)],
  };
}
