// Where log lines go. A volume that is full, or a reader that went away, costs lines of the log and never the service.
import { type Logger, pino } from "pino";
import type { Config } from "../config/schema.ts";

/** Lines kept for a destination that takes none at the moment; beyond it they are dropped. In bytes. */
const KEPT_BYTES = 1024 * 1024;

/** A logger that writes JSON lines to the file descriptor at once, and survives its failures. */
export function jsonLog(name: "kms" | "service", { level }: Config["log"], fd: number): Logger {
  const destination = pino.destination({ fd, sync: true, maxLength: KEPT_BYTES });
  destination.on("error", () => undefined);
  return pino({ level, name }, destination);
}
