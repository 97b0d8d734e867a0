// The control port as it is opened: a token made for this start, in a file of the server's owner, and the server that
// takes it.

import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "@strongroom/base/files";
import { controlServer } from "./control-server.ts";
import type { Controls } from "./control-server.ts";
import { endpointOf, listen } from "./listen.ts";
import { LOOPBACK } from "./loopback.ts";

/** The open port. */
export interface ControlPort {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  /** The file with the header that the port wants (`curl -H @FILE`). */
  readonly headerFile: string;
  /** Closes the port and removes the file. */
  close(): Promise<void>;
}

/**
 * Opens it, on loopback.
 * @param dataDir where the token's file is made; its owner alone can read it
 * @param port 0 takes a free one.
 * @throws KmsError `port-in-use`.
 */
export async function openControlPort(
  dataDir: string,
  port: number,
  controls: Omit<Controls, "authorization">,
): Promise<ControlPort> {
  const authorization = `Bearer ${randomBytes(32).toString("base64url")}`;
  const headerFile = join(dataDir, "control.header");
  const app = controlServer({ ...controls, authorization });
  const close = async (): Promise<void> => {
    await app.close();
    rmSync(headerFile, { force: true });
  };
  try {
    const listensOn = await listen(app, LOOPBACK, port);
    await writeFileAtomic(headerFile, `Authorization: ${authorization}\n`);
    return { endpoint: endpointOf(LOOPBACK, listensOn), headerFile, close };
  } catch (error) {
    await close();
    throw error;
  }
}
