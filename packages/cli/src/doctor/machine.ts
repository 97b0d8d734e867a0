// The machine: is Node new enough, and where did the configuration come from.
import type { Check } from "./check.ts";

const OLDEST_NODE = { major: 22, minor: 18 } as const;

/** Node's version. */
export const checkNode: Check = async () => {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const fits = major > OLDEST_NODE.major || (major === OLDEST_NODE.major && minor >= OLDEST_NODE.minor);
  const finding = { what: "Node", detail: `version ${process.versions.node}` };
  return [
    fits
      ? { ...finding, severity: "ok" }
      : { ...finding, severity: "failure", remedy: `Install Node ${OLDEST_NODE.major}.${OLDEST_NODE.minor} or newer.` },
  ];
};

/** The configuration was valid, or no check would run; this says where it came from. */
export const checkConfiguration: Check = async ({ loaded }) => {
  const outside = [...loaded.origins]
    .filter(([, origin]) => origin !== loaded.file)
    .map(([path, origin]) => `${path} by ${origin}`);
  const source = loaded.file ?? "defaults, no file";
  return [{ what: "Configuration", severity: "ok", detail: [source, ...outside].join("; ") }];
};
