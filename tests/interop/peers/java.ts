// The AWS Encryption SDK for Java, compiled by Maven into the cache folder.

import { join } from "node:path";

import type { Peer } from "../peer.ts";
import { processPeer } from "../process-peer.ts";
import { here, pinnedVersion, prepare, type Recipe } from "../toolchain.ts";

const RECIPE: Recipe = {
  id: "java",
  sources: ["java/pom.xml", "java/src/main/java/strongroom/interop/Peer.java"],
  steps: (folder) => [
    ["mvn", "--quiet", "--batch-mode", "--file", here("java/pom.xml"), `-Dinterop.target=${folder}`, "compile"],
  ],
};

/** @returns the peer, or why there is none here */
export function javaPeer(): Peer | string {
  const prepared = prepare(RECIPE);
  if (prepared.kind === "missing") return prepared.reason;
  const classPath = `${join(prepared.folder, "classes")}:${join(prepared.folder, "libraries", "*")}`;
  return processPeer({
    id: "java",
    title: `Java SDK ${pinnedVersion("java/pom.xml", /aws-encryption-sdk-java<\/artifactId>\s*<version>([^<]+)/)}`,
    command: "java",
    args: ["-cp", classPath, "strongroom.interop.Peer"],
    cannot: ({ context }) => (context.kind === "empty-entries" ? "refuses empty context keys and values" : null),
  });
}
