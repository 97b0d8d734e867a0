// `strongroom-kms audit …`: whether the record of all calls is whole, what others need to verify it, and retention.

import { type CommandSpec, option, text, wholeNumber } from "@strongroom/base/command";
import type { FoundText } from "@strongroom/witness/file";
import { z } from "zod";
import { KmsError } from "../../errors.ts";
import type { VerifyReport } from "../../upkeep/verify.ts";
import { rootKeyOf } from "../root-key-options.ts";
import { command } from "../spec.ts";

export const auditVerifyCommand: CommandSpec = command({
  name: "audit verify",
  heading: "Commands",
  summary: "check that no audit entry was changed, removed or inserted",
  description: [
    "Every entry is hashed anew and compared with the signed checkpoint of the log, whose key is sealed under the " +
      "root key. A database that was set back as a whole agrees with itself: a witness, or a checkpoint that was " +
      "kept elsewhere, tells. The server may be running.",
    "Exit code 5 if the log is broken or does not go on from what was seen.",
  ].join(" "),
  options: {
    checkpoint: option(
      "--checkpoint <file>",
      "a checkpoint that was kept elsewhere: the log must go on from it",
      text(),
    ),
  },
  flagGroups: ["folder", "root-key", "witness"],
  examples: [
    {
      line: "npx @strongroom/kms audit verify --data-dir /srv/kms",
      meaning: "says how many entries there are, or which is the first that does not fit",
    },
    {
      line: "npx @strongroom/kms audit verify --data-dir /srv/kms --witness /mnt/other/kms.checkpoint",
      meaning: "also whether the log goes on from what the witness saw",
    },
  ],
  async run({ options, loaded, context }) {
    const { verifyAudit } = await import("../../upkeep/verify.ts");
    const report = await verifyAudit({
      dataDir: loaded.dataDir,
      rootKey: rootKeyOf(loaded),
      ...(loaded.witness !== undefined && { witness: loaded.witness }),
      ...(options.checkpoint !== undefined && { checkpoint: await readCheckpoint(options.checkpoint) }),
    });
    context.terminal.result(report, verified);
  },
});

function verified({ auditEntries, lastEventAt, hashesOnly, lastCut, restoresAccepted, witness }: VerifyReport): string {
  const last = lastEventAt === null ? "" : `, the last of ${lastEventAt}`;
  return [
    `The audit is whole: ${auditEntries} entries${last}.`,
    ...(hashesOnly === 0 ? [] : [`${hashesOnly} of them are kept only as hashes: they were pruned.`]),
    ...(lastCut === null
      ? []
      : [`The last cut was on ${lastCut.at}, up to entry ${lastCut.through}, by ${lastCut.by}.`]),
    ...(restoresAccepted === 0 ? [] : [`It was accepted ${restoresAccepted} times after a restore (AcceptAudit).`]),
    witnessLine(witness),
  ].join("\n");
}

function witnessLine(witness: VerifyReport["witness"]): string {
  switch (witness?.kind) {
    case undefined:
      return "No witness: a database set back as a whole would not be noticed.";
    case "seen":
      return `The witness has seen the first ${witness.size}, as they are.`;
    case "nothing":
      return "The witness has seen nothing yet.";
    case "away":
      return `The witness cannot be asked (${witness.reason}): a database set back would not be noticed.`;
  }
}

async function readCheckpoint(path: string): Promise<string> {
  const { readBounded } = await import("@strongroom/witness/file");
  let found: FoundText;
  try {
    found = readBounded(path, 262_144);
  } catch (cause) {
    throw new KmsError("option-invalid", `${path} cannot be read.`, { cause });
  }
  if (found.kind === "unfit") throw new KmsError("audit-set-back", found.why);
  return found.text;
}

export const auditCheckpointCommand: CommandSpec = command({
  name: "audit checkpoint",
  heading: "Commands",
  summary: "print the newest signed checkpoint of the audit",
  description:
    "A signed note (c2sp.org/tlog-checkpoint): which log, how many entries, which root. Kept elsewhere, it shows " +
    "later whether the log goes on from here. The server may be running.",
  options: {},
  flagGroups: ["folder", "root-key"],
  examples: [
    {
      line: "npx @strongroom/kms audit checkpoint --data-dir /srv/kms > /mnt/other/today.checkpoint",
      meaning: "for `audit verify --checkpoint` and for programs of others",
    },
  ],
  async run({ loaded, context }) {
    const { auditCheckpoint } = await import("../../upkeep/audit-log.ts");
    const state = await auditCheckpoint({ dataDir: loaded.dataDir, rootKey: rootKeyOf(loaded) });
    context.terminal.result(state, () => state.checkpoint.replace(/\n$/, ""));
  },
});

export const auditKeyCommand: CommandSpec = command({
  name: "audit key",
  heading: "Commands",
  summary: "print the key that verifies the audit's checkpoints",
  description:
    "A verifier key (c2sp.org/signed-note) for a witness and for programs of others. It changes when a restore is " +
    "accepted, which begins another history.",
  options: {},
  flagGroups: ["folder", "root-key"],
  examples: [{ line: "npx @strongroom/kms audit key --data-dir /srv/kms", meaning: "NAME+ID+KEY" }],
  async run({ loaded, context }) {
    const { auditCheckpoint } = await import("../../upkeep/audit-log.ts");
    const { key, origin } = await auditCheckpoint({ dataDir: loaded.dataDir, rootKey: rootKeyOf(loaded) });
    context.terminal.result({ key, origin }, () => key);
  },
});

export const auditProveCommand: CommandSpec = command({
  name: "audit prove",
  heading: "Commands",
  args: "[entry]",
  summary: "print a proof that an entry is in the audit, or that the audit goes on from an older size",
  description:
    "With an entry's number (from 1): a proof of c2sp.org/tlog-proof; --json has the entry itself too, which is the " +
    "leaf. With --since: the proof of c2sp.org/tlog-witness. Both hold the newest checkpoint. The server may " +
    "be running.",
  options: {
    since: option(
      "--since <size>",
      "prove that the first so many entries are as they were",
      wholeNumber(0, Number.MAX_SAFE_INTEGER),
    ),
  },
  flagGroups: ["folder", "root-key"],
  examples: [
    { line: "npx @strongroom/kms audit prove 17 --data-dir /srv/kms", meaning: "entry 17" },
    { line: "npx @strongroom/kms audit prove --since 1000 --data-dir /srv/kms", meaning: "the first 1000 entries" },
  ],
  async run({ args, options, loaded, context }) {
    const entry = args[0];
    if ((entry === undefined) === (options.since === undefined))
      throw new KmsError("option-invalid", "give the number of an entry, or --since SIZE.");
    const { proveAuditEntry, proveAuditGrowth } = await import("../../upkeep/audit-log.ts");
    const from = { dataDir: loaded.dataDir, rootKey: rootKeyOf(loaded) };
    if (options.since !== undefined) {
      const proof = await proveAuditGrowth({ ...from, since: options.since });
      context.terminal.result({ proof }, () => proof.replace(/\n$/, ""));
      return;
    }
    const seq = /^[1-9]\d{0,15}$/.test(entry ?? "") ? Number(entry) : Number.NaN;
    const proved = await proveAuditEntry({ ...from, seq });
    context.terminal.result(proved, () => proved.proof.replace(/\n$/, ""));
  },
});

export const auditPruneCommand: CommandSpec = command({
  name: "audit prune",
  heading: "Commands",
  summary: "remove the text of old audit entries, and keep their hashes",
  description: [
    "The entries before a time lose their text; their hashes stay in the log, and an entry says what was removed and " +
      "by which user of this machine, so that `audit verify` passes and says how many there are. Backups that were",
    "made before still have the text. The server must not run.",
  ].join(" "),
  options: {
    before: option(
      "--before <time>",
      "entries before this time",
      z.iso.datetime({ offset: true, error: "must be a time such as 2030-01-01T00:00:00Z" }),
    ),
  },
  flagGroups: ["folder", "root-key", "witness"],
  examples: [
    {
      line: "npx @strongroom/kms audit prune --data-dir /srv/kms --before 2030-01-01T00:00:00Z",
      meaning: "what happened before 2030 is no longer readable",
    },
  ],
  async run({ options, loaded, context }) {
    const { pruneAudit } = await import("../../upkeep/prune.ts");
    const report = await pruneAudit({
      dataDir: loaded.dataDir,
      rootKey: rootKeyOf(loaded),
      before: new Date(options.before),
      ...(loaded.witness !== undefined && { witness: loaded.witness }),
    });
    context.terminal.result(report, ({ removed, through }) =>
      removed === 0
        ? "There is nothing to remove."
        : `The text of ${removed} entries up to ${through} is removed; their hashes stay.`,
    );
  },
});
