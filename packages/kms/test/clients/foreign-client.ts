// Programs of others, run against a KMS as they are: found on this machine, or the test is skipped.

import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import type { ClientConfig } from "@strongroom/kms";

/** Whether a program starts. */
export const isThere = (program: string, ...args: readonly string[]): boolean =>
  spawnSync(program, args, { stdio: "ignore", timeout: 60_000 }).status === 0;

/** The environment in which AWS's tools reach a region, and nothing else of this machine's configuration. */
export function awsEnvironment({ region, endpoint, credentials }: ClientConfig): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_DEFAULT_REGION: region,
    AWS_ENDPOINT_URL: endpoint,
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
  };
}

/** Runs a program to its end and gives what it printed; fails with what it said on standard error. */
export async function output(program: string, args: readonly string[], env: Record<string, string>): Promise<string> {
  return (await promisify(execFile)(program, args, { env, timeout: 120_000, maxBuffer: 2 ** 24 })).stdout;
}
