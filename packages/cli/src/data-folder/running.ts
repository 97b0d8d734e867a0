// Where a running `strongroom up` listens: written when it serves, removed when it ends. It spares the client commands
// a --url when other ports were chosen. After a kill it may be left behind; then nothing listens there, and the message
// says so.
import { rm } from "node:fs/promises";
import { readIfPresent, writeFileAtomic } from "@strongroom/base/files";
import { z } from "zod";

/** The addresses of a running installation. */
export interface Running {
  /** The service. */
  readonly url: string;
  /** Region -> the local KMS's endpoint. */
  readonly kms: Readonly<Record<string, string>>;
  /** The port that takes regions of the local KMS away; null where that is not allowed. */
  readonly faultsEndpoint: string | null;
}

const schema: z.ZodType<Running> = z.object({
  url: z.url({ protocol: /^https?$/ }),
  kms: z.record(z.string(), z.url({ protocol: /^https?$/ })),
  faultsEndpoint: z
    .url({ protocol: /^http$/ })
    .nullable()
    .default(null),
});

/** Reads the file; null where there is none or it says nothing. */
export async function readRunning(path: string): Promise<Running | null> {
  const text = await readIfPresent(path);
  if (text === null) return null;
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** Writes the file. */
export async function writeRunning(path: string, running: Running): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(running, null, 2)}\n`);
}

/** Removes the file. */
export async function removeRunning(path: string): Promise<void> {
  await rm(path, { force: true });
}
