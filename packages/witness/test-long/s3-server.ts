// An S3 server that is not ours and knows object lock, on a free port: moto, from PyPI.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { S3 } from "@aws-sdk/client-s3";
import { prepare } from "../../../tests/interop/toolchain.ts";

const requirements = join(import.meta.dirname, "requirements.txt");

/** The folder of the server's program; or why there is none here. */
export function s3Program(): { readonly folder: string } | string {
  const prepared = prepare({
    id: "s3-server",
    sources: [requirements],
    steps: (folder) => [
      ["python3", "-m", "venv", folder],
      [join(folder, "bin", "pip"), "install", "--quiet", "--requirement", requirements],
    ],
  });
  return prepared.kind === "missing" ? prepared.reason : prepared;
}

/** Starts it, until the test ends. */
export async function s3Server(t: TestContext, { folder }: { readonly folder: string }): Promise<S3> {
  const child = spawn(join(folder, "bin", "moto_server"), ["-H", "127.0.0.1", "-p", "0"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  t.after(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  for await (const line of createInterface({ input: child.stderr })) {
    const endpoint = /Running on (http:\S+)/.exec(line)?.[1];
    if (endpoint === undefined) continue;
    child.stderr.resume();
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    return new S3({ endpoint, region: "us-east-1", forcePathStyle: true, maxAttempts: 1, credentials });
  }
  throw new Error("the S3 server ended before it listened");
}
