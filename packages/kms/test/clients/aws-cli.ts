// The AWS CLI against a KMS. Each command is a process of half a second: the daily test runs four of them, the long one
// all.

import type { ClientConfig } from "@strongroom/kms";
import { awsEnvironment, isThere, output } from "./foreign-client.ts";

/** Why the CLI cannot be tested here, or false. */
export const awsCliAbsent: string | false = isThere("aws", "--version")
  ? false
  : "the AWS CLI (aws) is not installed here";

/** Runs `aws kms ARGS` and gives the JSON that it printed. */
export type AwsKms = (...args: readonly string[]) => Promise<Record<string, unknown>>;

export const awsKms =
  (config: ClientConfig): AwsKms =>
  async (...args) => {
    const text = await output(
      "aws",
      ["--endpoint-url", config.endpoint, "--output", "json", "kms", ...args],
      awsEnvironment(config),
    );
    return (text.trim() === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
  };
