/**
 * @strongroom/base/terminal/log: where log lines go. A volume that is full, or a reader that went away, costs lines of
 * the log and never the service. A line is JSON, and shows nothing to a terminal but itself: it tells of requests that
 * anybody may have sent.
 */
import { type DestinationStream, pino } from "pino";
import { printableJsonText } from "./printable.ts";

/** Lines kept for a destination that takes none at the moment; beyond it they are dropped. In bytes. */
const KEPT_BYTES = 1024 * 1024;

/** A destination for pino that writes to the file descriptor at once and survives its failures. */
export function logDestination(fd: number): DestinationStream {
  const destination = pino.destination({ fd, sync: true, maxLength: KEPT_BYTES });
  destination.on("error", () => undefined);
  return {
    write: (line) => {
      destination.write(printableJsonText(line));
    },
  };
}
