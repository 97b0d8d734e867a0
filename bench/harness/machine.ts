// The machine that a run was made on, and whether it was quiet.

import { cpus, loadavg, totalmem } from "node:os";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly platform: string;
  readonly node: string;
  readonly openssl: string;
}

/**
 * Processes that wanted a processor, averaged over the minute before the run and over its last quarter of an hour.
 */
export interface Load {
  readonly before: number;
  readonly during: number;
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    openssl: process.versions.openssl,
  };
}

/** The load of the last minute: asked before a run begins. */
export function loadNow(): number {
  return loadavg()[0] ?? 0;
}

/** To be asked when a run has ended, with what was there before. */
export function loadOf(before: number): Load {
  return { before, during: loadavg()[2] ?? 0 };
}

/** The machine in words, for a page. */
export function machineText(machine: Machine): string {
  return `${machine.cpu}, ${machine.cores} cores,
${machine.memoryGiB} GiB, ${machine.platform}, Node ${machine.node} with OpenSSL ${machine.openssl}`;
}
