// A KMS for a test: in a temporary directory, on free ports, gone when the test ends.

import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import { AdjustableClock, createKms } from "@strongroom/kms";
import type { Kms, KmsOptions } from "@strongroom/kms";

export const REGION = "eu-west-1";
export const REGIONS = ["eu-west-1", "eu-west-2", "eu-central-1"] as const;
export const ACCOUNT = "000000000000";

/** A directory that is removed when the test ends. */
export async function temporaryDirectory(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "strongroom-kms-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

export interface RunningKms {
  readonly kms: Kms;
  readonly dataDir: string;
  readonly clock: AdjustableClock;
  /** An official client of a region; `at` sends its requests to another region's port. */
  readonly client: (
    region?: string,
    options?: { credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }; at?: string },
  ) => KMS;
}

/** Starts a KMS with the three regions. Clients and server are closed after the test. */
export async function runningKms(t: TestContext, options: Partial<KmsOptions> = {}): Promise<RunningKms> {
  const dataDir = options.dataDir ?? (await temporaryDirectory(t));
  const clock = new AdjustableClock();
  const kms = await createKms({
    dataDir,
    regions: REGIONS.map((name) => ({ name, port: 0 })),
    rootKey: { kind: "file", path: join(dataDir, "root.key") },
    clock,
    ...options,
  });
  const clients: KMS[] = [];
  t.after(async () => {
    for (const client of clients) client.destroy();
    await kms.close();
  });
  return {
    kms,
    dataDir,
    clock,
    client: (region = REGION, { credentials = kms.credentials, at = region } = {}) => {
      const client = new KMS({
        region,
        endpoint: kms.endpoints[at]!,
        credentials,
        maxAttempts: 1,
        systemClockOffset: clock.now() - Date.now(),
      });
      clients.push(client);
      return client;
    },
  };
}

/** What a failed call said: type, message and status as the client got them. */
export async function failure(
  call: Promise<unknown>,
): Promise<{ name: string; message: string; status: number | undefined }> {
  try {
    await call;
  } catch (error) {
    const { name, message, $metadata } = error as {
      name: string;
      message: string;
      $metadata?: { httpStatusCode?: number };
    };
    return { name, message, status: $metadata?.httpStatusCode };
  }
  throw new Error("the call was expected to fail");
}

/** The header that the control port wants, from its file. */
export function controlHeader(kms: Pick<Kms, "faultsHeaderFile">): { readonly authorization: string } {
  const [, authorization = ""] = /^Authorization: (.*)\n$/.exec(readFileSync(kms.faultsHeaderFile ?? "", "utf8")) ?? [];
  return { authorization };
}
