// Checks of the machine and of the data folder: Node, configuration, permissions, space.
import { readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { readRegionKeys } from "../installation/key-file.ts";
import { CliError, systemErrorCode } from "../errors.ts";
import type { Check, Finding } from "./check.ts";

const GIBIBYTE = 1024 ** 3;
/** Below the first a warning, below the second a failure: SQLite needs room for its log beside the database. */
const ROOM = { warning: GIBIBYTE, failure: GIBIBYTE / 10 } as const;
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

/** The configuration was valid, or the doctor would not have come; this says where it came from. */
export const checkConfiguration: Check = async ({ loaded }) => {
  const outside = [...loaded.origins]
    .filter(([, origin]) => origin !== loaded.file)
    .map(([path, origin]) => `${path} by ${origin}`);
  const source = loaded.file ?? "defaults, no file";
  return [{ what: "Configuration", severity: "ok", detail: [source, ...outside].join("; ") }];
};

/** The folder and every file in it belong to their owner alone. */
export const checkPermissions: Check = async ({ folder }) => {
  try {
    const entries = await readdir(folder.path, { recursive: true, withFileTypes: true });
    const paths = [folder.path, ...entries.map((entry) => join(entry.parentPath, entry.name))];
    const open: string[] = [];
    for (const path of paths) {
      const found = await stat(path).catch(() => null);
      if (found !== null && (found.mode & 0o077) !== 0) open.push(path);
    }
    const what = "Data folder";
    if (open.length === 0)
      return [{ what, severity: "ok", detail: `${folder.path}: ${entries.length} files, for their owner alone` }];
    return [
      {
        what,
        severity: "failure",
        detail: `open to other users: ${open.join(", ")}`,
        remedy: `chmod -R go-rwx ${folder.path}`,
      },
    ];
  } catch (error) {
    return [unusableFolder(folder.path, systemErrorCode(error))];
  }
};

function unusableFolder(path: string, code: string | null): Finding {
  if (code === "ENOENT")
    return {
      what: "Data folder",
      severity: "warning",
      detail: `${path} does not exist yet`,
      remedy: "strongroom up makes it.",
    };
  return {
    what: "Data folder",
    severity: "failure",
    detail: `${path}: ${code ?? "not readable"}`,
    remedy: "Run as the folder's owner, or choose another with --data-dir.",
  };
}

/** Room on the disk of the data folder. */
export const checkSpace: Check = async ({ folder }) => {
  const found = await statfs(folder.path).catch(() => null);
  if (found === null) return [];
  const free = found.bavail * found.bsize;
  const finding = { what: "Disk space", detail: `${(free / GIBIBYTE).toFixed(1)} GiB free` };
  if (free >= ROOM.warning) return [{ ...finding, severity: "ok" }];
  return [
    {
      ...finding,
      severity: free < ROOM.failure ? "failure" : "warning",
      remedy: `Make room on the disk of ${folder.path}; writes are refused when it is full.`,
    },
  ];
};

/** Every region's key is known: from the configuration, or remembered in keys.json, which can be read. */
export const checkKeyFile: Check = async ({ folder, loaded: { config } }) => {
  try {
    const keys = Object.keys(await readRegionKeys(folder.keys));
    if (keys.length > 0) return [{ what: "Keys", severity: "ok", detail: `remembered for ${keys.join(", ")}` }];
    if (config.keys.regions?.every(({ keyArn }) => keyArn !== undefined) === true)
      return [{ what: "Keys", severity: "ok", detail: "all are named by keys.regions" }];
    return [
      {
        what: "Keys",
        severity: "warning",
        detail: "none are remembered",
        remedy: "strongroom up makes them; strongroom serve takes them from keys.regions.",
      },
    ];
  } catch (error) {
    const known = error instanceof CliError ? error : null;
    return [
      {
        what: "Keys",
        severity: "failure",
        detail: known?.detail ?? "keys.json can not be read",
        remedy: known?.remedy ?? "Check its permissions.",
      },
    ];
  }
};
