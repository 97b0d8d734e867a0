// Room on the disk of the data folder: how much there is, and on which day there will be none.
import { readOutlook } from "../installation/disk-watch.ts";
import type { Check } from "./check.ts";

const GIBIBYTE = 1024 ** 3;
/** Below this it is a failure: SQLite needs room for its log beside the database. */
const LEAST_BYTES = GIBIBYTE / 10;

/** Little room is a warning, and so is a disk that is full within two weeks if it goes on like this. */
export const checkSpace: Check = async ({ folder }) => {
  const found = await readOutlook(folder.path, folder.disk);
  if (found === null) return [];
  const { free, perDay, fullAt, alarm } = found;
  const room = `${(free / GIBIBYTE).toFixed(1)} GiB free`;
  const forecast =
    perDay === null || fullAt === null
      ? ""
      : `; ${(perDay / GIBIBYTE).toFixed(2)} GiB a day went: full on ${dayOf(fullAt)} if it goes on like this`;
  const finding = { what: "Disk space", detail: `${room}${forecast}` };
  if (!alarm) return [{ ...finding, severity: "ok" }];
  return [
    {
      ...finding,
      severity: free < LEAST_BYTES ? "failure" : "warning",
      remedy:
        `Make room on the disk of ${folder.path}, or keep less of the KMS's audit (--audit-days): writes are refused ` +
        "when it is full. Reads and removals go on for as long as the room lasts that is kept for them.",
    },
  ];
};

/** Beyond a century nothing is foretold. */
const dayOf = (at: number): string =>
  at > Date.now() + 36_500 * 24 * 3_600_000 ? "no day soon" : new Date(at).toISOString().slice(0, 10);
