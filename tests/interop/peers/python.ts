// The AWS Encryption SDK for Python, in a virtual environment of its own.

import { join } from "node:path";

import type { Peer } from "../peer.ts";
import { processPeer } from "../process-peer.ts";
import { here, pinnedVersion, prepare, type Recipe } from "../toolchain.ts";

const RECIPE: Recipe = {
  id: "python",
  sources: ["python/requirements.txt"],
  steps: (folder) => [
    ["python3", "-m", "venv", folder],
    [join(folder, "bin", "pip"), "install", "--quiet", "--requirement", here("python/requirements.txt")],
  ],
};

/** @returns the peer, or why there is none here */
export function pythonPeer(): Peer | string {
  const prepared = prepare(RECIPE);
  if (prepared.kind === "missing") return prepared.reason;
  return processPeer({
    id: "python",
    title: `Python SDK ${pinnedVersion("python/requirements.txt", /aws-encryption-sdk==(\S+)/)}`,
    command: join(prepared.folder, "bin", "python"),
    args: [here("python/peer.py")],
  });
}
