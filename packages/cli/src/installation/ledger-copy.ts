// A copy of the ledger of erasures beside the audit's witness, which is not copied, backed up or set back together with
// the stores: a restore of all of them brings nobody back who was erased since. Each line ends in a code of the
// vault's.
import { createReadStream, existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { makeFolderSync } from "@strongroom/base/files";
import type { Environment } from "@strongroom/base/settings";
import type { ErasureOptions, LedgerCopy } from "@strongroom/vault";
import type { Config } from "../config/config.ts";
import { storePlace } from "../config/store-url.ts";
import { placeSettings } from "../store/which.ts";
import { witnessFile } from "./witness-file.ts";

/** Of each witness that is a file; none beside others, which take no such lines. */
export function ledgerCopies(config: Config, vaultId: string, env: Environment): readonly LedgerCopy[] {
  const { witness } = config.audit;
  if (witness !== undefined)
    return witness.flatMap((setting) =>
      setting.kind === "file" ? [fileLedger(`${setting.path}.erasures.ndjson`)] : [],
    );
  const path = witnessFile(vaultId, config.dataDir, env);
  return path === null ? [] : [fileLedger(path.replace(/\.checkpoint$/, ".erasures.ndjson"))];
}

/** What a vault of an installation is told of erasures. */
export function erasureOptions(config: Config, copies: readonly LedgerCopy[]): ErasureOptions {
  const [records, keys] = (["records", "keys"] as const).map((role) => placeSettings(config, role).settings.url);
  return {
    ledgers: copies,
    fourEyes: config.keys.fourEyes === true,
    backups: areTogether(records, keys) ? "together" : "apart",
    longestRequestMs: config.service.answerMs ?? ANSWER_MS,
  };
}

/** The service's own, where none is configured. */
const ANSWER_MS = 30_000;

/** Files of one folder, or schemas of one server: one backup has both. */
function areTogether(records: string | undefined, keys: string | undefined): boolean {
  if (records === undefined || keys === undefined) return records === keys;
  const [one, other] = [storePlace(records), storePlace(keys)];
  return one.host.toLowerCase() === other.host.toLowerCase() && one.port === other.port;
}

/** A copy in a file, for its owner alone. */
export function fileLedger(path: string): LedgerCopy {
  return {
    name: path,
    read: () => linesOf(path),
    append: async (lines) => {
      makeFolderSync(dirname(path));
      const file = await open(path, "a", 0o600);
      try {
        await file.appendFile(lines.map((line) => `${line}\n`).join(""));
        await file.sync();
      } finally {
        await file.close();
      }
    },
  };
}

/** A ledger that somebody names: its lines are taken at that person's word. */
export const givenLedger = (path: string): LedgerCopy => ({
  name: path,
  isGiven: true,
  read: () => linesOf(path),
  append: () => Promise.resolve(),
});

async function* linesOf(path: string): AsyncGenerator<string> {
  if (existsSync(path)) yield* createInterface({ input: createReadStream(path, "utf8"), crlfDelay: Infinity });
}
