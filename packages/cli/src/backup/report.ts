// What a person is told of a backup.
import type { BackupFile, Manifest } from "./manifest.ts";
import type { BackupReport } from "./take-backup.ts";

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;

/** As a person reads it. */
export function sizeText(bytes: number): string {
  let [size, unit] = [bytes, 0];
  for (; size >= 1024 && unit < UNITS.length - 1; unit++) size /= 1024;
  return `${unit === 0 ? size : size.toFixed(1)} ${UNITS[unit] ?? ""}`;
}

/** A line for a file. */
export const fileText = ({ name, bytes, copied }: BackupFile): string =>
  `${name.padEnd(15)} ${sizeText(bytes).padStart(10)}  as of ${copied.to}`;

/** What was made, and what is to be kept beside it. */
export function backupView({ path, manifest, bytes, seconds, keepElsewhere, key }: BackupReport): string {
  return [
    `${path}: a backup of the vault ${manifest.vault}, ${sizeText(bytes)} in ${seconds.toFixed(1)} s`,
    ...manifest.files.map((file) => `  ${fileText(file)}`),
    cutText(manifest),
    "Not in it, and needed beside it; keep it elsewhere:",
    ...keepElsewhere.map((one) => `  ${one}`),
    `Verifier key  ${key}`,
  ].join("\n");
}

/** Up to when everything is in it. */
export const cutText = ({ cut }: Manifest): string =>
  `Everything acknowledged before ${cut.at} is in it (entry ${cut.position} of the audit, ${cut.entry}).`;
