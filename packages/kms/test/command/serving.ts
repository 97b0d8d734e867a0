// `strongroom-kms serve` as a process of its own, ended with the test.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import { STRONGROOM_KMS } from "../../../../tests/support/commands.ts";

export interface Serving {
  readonly process: ChildProcess;
  readonly endpoints: Readonly<Record<string, string>>;
  readonly tls: { readonly fingerprint: string } | null;
  readonly emulatorEndpoint: string | null;
  readonly notServing: Readonly<Record<string, string>>;
  readonly faultsEndpoint: string | null;
  readonly faultsHeaderFile: string | null;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly stderr: () => string;
  /** From the start of the process to its being ready, in milliseconds. */
  readonly startMs: number;
  readonly client: (region?: string) => KMS;
  /** Sends a signal and waits for the end; gives the exit code, null if the signal was the end. */
  readonly end: (signal?: NodeJS.Signals) => Promise<number | null>;
}

/** Starts the command with one region on a free port unless `argv` says otherwise. */
export async function serving(t: Pick<TestContext, "after">, ...argv: readonly string[]): Promise<Serving> {
  const regions = argv.includes("--region") ? [] : ["--region", "eu-west-1"];
  const started = performance.now();
  const child = spawn(process.execPath, [STRONGROOM_KMS, "serve", "--json", ...regions, ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const clients: KMS[] = [];
  const exited = once(child, "exit") as Promise<[number | null]>;
  const end = async (signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> => {
    for (const client of clients) client.destroy();
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return (await exited)[0];
  };
  t.after(() => end("SIGKILL"));
  const line = await Promise.race([once(createInterface({ input: child.stdout }), "line"), exited.then(() => [])]);
  if (line.length === 0) throw new Error(`serve ended with ${child.exitCode}: ${stderr}`);
  const startMs = performance.now() - started;
  const ready = JSON.parse(String(line[0])) as {
    endpoints: Record<string, string>;
    tls: { fingerprint: string } | null;
    emulatorEndpoint: string | null;
    notServing: Record<string, string>;
    faultsEndpoint: string | null;
    faultsHeaderFile: string | null;
    credentialsFile: string | null;
  };
  const credentials =
    ready.credentialsFile === null
      ? { accessKeyId: "test", secretAccessKey: "test" }
      : (JSON.parse(readFileSync(ready.credentialsFile, "utf8")) as Serving["credentials"]);
  return {
    process: child,
    endpoints: ready.endpoints,
    tls: ready.tls,
    emulatorEndpoint: ready.emulatorEndpoint,
    notServing: ready.notServing,
    faultsEndpoint: ready.faultsEndpoint,
    faultsHeaderFile: ready.faultsHeaderFile,
    credentials,
    stderr: () => stderr,
    startMs,
    client: (region = Object.keys(ready.endpoints)[0] ?? "") => {
      const client = new KMS({ region, endpoint: ready.endpoints[region]!, credentials, maxAttempts: 1 });
      clients.push(client);
      return client;
    },
    end,
  };
}
