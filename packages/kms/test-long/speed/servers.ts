// The servers that are measured, each a process of its own, started as its users start it.

import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientConfig } from "@strongroom/kms";

const REGION = "eu-west-1";
/** Unit of processor time in /proc. */
const TICKS_PER_SECOND = 100;

/** A server under measurement. */
export interface Measured {
  readonly name: string;
  readonly config: ClientConfig;
  readonly startMs: number;
  /** Resident memory of the process, MiB. */
  readonly memory: () => number;
  /** Processor time that it has used, seconds: comparable even while the machine does other things. */
  readonly cpu: () => number;
  readonly end: () => Promise<void>;
}

/** This project's KMS; `nodeOptions` go to its node. */
export async function startOurs(...nodeOptions: readonly string[]): Promise<Measured> {
  const bin = resolve(import.meta.dirname, "../../bin/strongroom-kms.js");
  const started = performance.now();
  const child = spawn(process.execPath, [...nodeOptions, bin, "serve", "--temporary", "--json", "--region", REGION], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const startMs = performance.now() - started;
  const { endpoints, credentialsFile } = JSON.parse(line) as {
    endpoints: Record<string, string>;
    credentialsFile: string;
  };
  const credentials = JSON.parse(readFileSync(credentialsFile, "utf8")) as ClientConfig["credentials"];
  return measured("strongroom", child, { region: REGION, endpoint: endpoints[REGION] ?? "", credentials }, startMs);
}

/** moto's server, an emulator in Python; `program` is its `moto_server`. */
export async function startMoto(program: string): Promise<Measured> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const started = performance.now();
  const child = spawn(program, ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  while (
    !(await fetch(endpoint).then(
      () => true,
      () => false,
    ))
  ) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`);
    await sleep(20);
  }
  const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "any" };
  return measured("moto", child, { region: REGION, endpoint, credentials }, performance.now() - started);
}

/** Whether moto's server is there. */
export const motoProgram = (): string | null => {
  const program = process.env["STRONGROOM_MOTO_SERVER"] ?? "moto_server";
  return spawnSync(program, ["--help"], { stdio: "ignore" }).status === 0 ? program : null;
};

function measured(name: string, child: ChildProcess, config: ClientConfig, startMs: number): Measured {
  return {
    name,
    config,
    startMs,
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) / 1024,
    cpu: () => {
      const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8")
        .replace(/^.*\) /, "")
        .split(" ");
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    },
    end: async () => {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
