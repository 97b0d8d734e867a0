/** The fault matrix as a page of documentation. */
import { MULTI_REGION_DEFAULTS } from "@strongroom/envelope/aws-kms";
import type { PeerOutcome } from "./peer.ts";

export interface Cell {
  readonly fleet: string;
  readonly fault: string;
  readonly faulty: number;
  readonly of: number;
  /** Milliseconds; medians. */
  readonly readFirst: number;
  readonly readFirstLimit: number;
  readonly readLater: number;
  readonly readLaterLimit: number;
  readonly writeFirst: number;
  readonly writeFirstLimit: number;
  /** Wraps of the target, as `2/3`. */
  readonly wraps: string;
  readonly worst: number;
  readonly peerRead: PeerOutcome;
  readonly peerWrite: PeerOutcome;
}

export interface Healthy {
  readonly fleet: string;
  readonly read: number;
  readonly write: number;
  readonly peerRead: PeerOutcome;
  readonly peerWrite: PeerOutcome;
}

const ms = (value: number): string => String(Math.round(value));
const held = (value: number, limit: number): string =>
  `${ms(value)} (${value <= limit ? "" : "**over** "}≤ ${ms(limit)})`;
const PEER: Readonly<Record<PeerOutcome["kind"], (elapsedMs: number) => string>> = {
  ok: ms,
  fails: (elapsedMs) => `fails after ${ms(elapsedMs)}`,
  hangs: (elapsedMs) => `no answer in ${ms(elapsedMs)}`,
};
const peer = ({ kind, elapsedMs }: PeerOutcome): string => PEER[kind](elapsedMs);
const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

export function matrixPage(healthy: readonly Healthy[], cells: readonly Cell[]): string {
  const { deadlineMs, hedgeMinMs, hedgeMaxMs, stragglerMinMs } = MULTI_REGION_DEFAULTS;
  const lines = [
    "# The fault matrix",
    "",
    "Written by `STRONGROOM_WRITE_MATRIX=1 npm run test:long`; do not edit. Real regions of the project's own KMS " +
      "in a process of their own, real HTTP through the AWS SDK;",
    "times in milliseconds, medians of three. *AWS SDK* is `@aws-crypto/client-node` with its default clients in " +
      "the same run, cut off after four seconds.",
    "",
    "- **first read / first write**: the fault has just begun. **later reads**: after four reads, with the " +
      "breaker open where the fault opens it.",
    `- The limit beside each time: a round trip for each region that fails or lies and is asked first, the hedge delay (its p95, ${hedgeMinMs} to ${hedgeMaxMs} ms) for each that is`,
    "silent, the round trip of the region that answers, 15 ms, and what each call cost above its round trip just " +
      "before. A write also waits for the slowest region it needs, and for a",
    `  silent one twice its hedge delay, but at least ${stragglerMinMs} ms: a wrap is not given up for a short pause. Later reads: the round trip of the region that answers and 10 ms.`,
    "- On a quiet machine and with round trips of 5 and 70 ms that is 90 ms where a region fails, the hedge delay " +
      "and 90 ms where it is silent, and 80 ms with the breaker open.",
    `- No read failed, no write below its minimum was acknowledged, and no operation took longer than the deadline of ${deadlineMs} ms.`,
    '- Wraps are not proven here (`proveWraps: "off"`): what that costs is in [When a region is lost](resilience.md).',
    "",
    "## Without a fault",
    "",
    row(["regions", "read", "write", "AWS SDK read", "AWS SDK write"]),
    row(["---", "---", "---", "---", "---"]),
    ...healthy.map(({ fleet, read, write, peerRead, peerWrite }) =>
      row([fleet, ms(read), ms(write), peer(peerRead), peer(peerWrite)]),
    ),
  ];
  for (const fleet of new Set(cells.map((cell) => cell.fleet))) {
    for (const faulty of new Set(cells.filter((cell) => cell.fleet === fleet).map((cell) => cell.faulty))) {
      const some = cells.filter((cell) => cell.fleet === fleet && cell.faulty === faulty);
      lines.push(
        "",
        `## Round trips of ${fleet}, fault in the nearest ${faulty} of ${some[0]?.of ?? 0}`,
        "",
        row(["fault", "first read", "later reads", "first write", "wraps", "AWS SDK read", "AWS SDK write"]),
        row(["---", "---", "---", "---", "---", "---", "---"]),
        ...some.map((cell) =>
          row([
            cell.fault,
            held(cell.readFirst, cell.readFirstLimit),
            held(cell.readLater, cell.readLaterLimit),
            held(cell.writeFirst, cell.writeFirstLimit),
            cell.wraps,
            peer(cell.peerRead),
            peer(cell.peerWrite),
          ]),
        ),
      );
    }
  }
  return `${lines.join("\n")}\n`;
}
