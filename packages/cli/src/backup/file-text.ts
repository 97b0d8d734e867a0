// Lines about a backup that several of its commands tell: how large a file is, of what moment, and what is in all.
import type { BackupFile, Manifest } from "./manifest.ts";

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

/** Up to when everything is in it. */
export const cutText = ({ cut }: Manifest): string =>
  `Everything acknowledged before ${cut.at} is in it (entry ${cut.position} of the audit, ${cut.entry}).`;
