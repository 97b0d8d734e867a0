// What a backup says of itself: `manifest.json`, whose SHA-256 is in an entry of the vault's audit, and
// `manifest.proof`, which proves that the entry is in the log of which the vault signed a checkpoint. So nobody makes
// or changes a backup without the audit's key, and no key is needed to check one.
import { createHash } from "node:crypto";
import { formatInclusionProof, parseCheckpoint, parseInclusionProof } from "@strongroom/tlog/checkpoint";
import { renamedVkey } from "@strongroom/tlog/keys";
import { openNote, parseNote, tlogFailure } from "@strongroom/tlog/note";
import { provesInclusion } from "@strongroom/tlog/proof";
import { StoredTree } from "@strongroom/tlog/stored-tree";
import { leafHash } from "@strongroom/tlog/tree";
import type { AuditLog } from "@strongroom/vault";
import { z } from "zod";
import { CliError } from "../errors.ts";

/** Names of its own files in a backup. */
export const MANIFEST = { file: "manifest.json", proof: "manifest.proof" } as const;
/** The form that this version writes. */
export const FORMAT = "strongroom-backup/1";
/** Largest files of its own that are read, in bytes. */
export const MOST_BYTES: Readonly<Record<keyof typeof MANIFEST, number>> = {
  file: 64 * 1024 * 1024,
  proof: 1024 * 1024,
};

/** What a file of a backup is, in the order in which they are copied. */
export const CONTENTS = ["records", "keys", "audit", "kms", "region-keys", "erasures", "approvers"] as const;
export type Content = (typeof CONTENTS)[number];

const moment = z.iso.datetime();
const span = z.strictObject({ from: moment, to: moment });
const uuid = z.uuid();
const count = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const stream = z.tuple([uuid, count]);

interface Span {
  readonly from: string;
  readonly to: string;
}

/** A file of a backup. */
export interface BackupFile {
  readonly content: Content;
  readonly form: "sqlite" | "pg_dump" | "json" | "ndjson";
  /** Within the backup; it leads nowhere else. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly copied: Span;
}

export const backupFileSchema: z.ZodType<BackupFile> = z.strictObject({
  content: z.enum(CONTENTS),
  form: z.enum(["sqlite", "pg_dump", "json", "ndjson"]),
  name: z.string().regex(/^[a-z][a-z0-9-]{0,40}(\.[a-z0-9]{1,10}){1,2}$/),
  bytes: count,
  sha256,
  copied: span,
});

/** The entry that everything acknowledged before is in the backup; a checkpoint of the log with it. */
export interface Cut {
  readonly entry: string;
  readonly at: string;
  readonly position: number;
  readonly checkpoint: string;
}

export const cutSchema: z.ZodType<Cut> = z.strictObject({
  entry: uuid,
  at: moment,
  position: count,
  checkpoint: z.string().max(262_144),
});

type StreamEnds = readonly (readonly [stream: string, last: number])[];

/** What `manifest.json` has. */
export interface Manifest {
  readonly format: typeof FORMAT;
  /** Its own. */
  readonly id: string;
  /** The version of Strongroom that made it. */
  readonly by: string;
  readonly made: Span;
  readonly vault: string;
  readonly cut: Cut;
  /** The log of the audit, as it is in the backup; null: of a dump of PostgreSQL it is not known. */
  readonly log: { readonly history: string; readonly size: number; readonly root: string } | null;
  /** How far the streams of each store's outbox were; null as above. */
  readonly streams: { readonly records: StreamEnds | null; readonly keys: StreamEnds | null };
  /** ARNs of the wrapping keys without which nothing opens. */
  readonly wrappingKeys: { readonly records: readonly string[]; readonly keys: readonly string[] };
  readonly files: readonly BackupFile[];
}

const manifestSchema: z.ZodType<Manifest> = z.strictObject({
  format: z.literal(FORMAT),
  id: uuid,
  by: z.string().max(40),
  made: span,
  vault: uuid,
  cut: cutSchema,
  log: z.strictObject({ history: uuid, size: count, root: z.string().max(64) }).nullable(),
  streams: z.strictObject({ records: z.array(stream).nullable(), keys: z.array(stream).nullable() }),
  wrappingKeys: z.strictObject({ records: z.array(z.string()), keys: z.array(z.string()) }),
  files: z.array(backupFileSchema).min(1).max(CONTENTS.length),
});

const proofSchema = z.strictObject({ key: z.string().max(4096), entry: z.string(), proof: z.string() });

/** The entry's members that are looked at. */
const entrySchema = z.object({
  action: z.literal("backup"),
  result: z.literal("done"),
  details: z.object({ backup: uuid, manifest: sha256 }),
});

/** As it is written. */
export const manifestText = (manifest: Manifest): string => `${JSON.stringify(manifest, null, 2)}\n`;

export const digestOf = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex");

type Log = Pick<AuditLog, "find" | "hashes" | "state">;

/** An entry that is in the log. */
export interface FoundEntry {
  readonly position: number;
  readonly id: string;
  readonly at: string;
  readonly text: string;
}

/** Entries that are looked through for one: all of them are of backups, and it is among the newest. */
const MOST_LOOKED_AT = 100;

/** The newest entry of an action with these details. It must be there: it was carried to the log. */
export async function entryOf(
  log: Pick<AuditLog, "find">,
  action: "cut" | "backup",
  details: Readonly<Record<string, string>>,
): Promise<FoundEntry> {
  const rows = await log.find({ action }, { order: "newest", after: null, limit: MOST_LOOKED_AT });
  for (const { position, id, text: bytes } of rows) {
    if (bytes === null) continue;
    const text = Buffer.from(bytes).toString("utf8");
    const said = JSON.parse(text) as { readonly at: string; readonly details?: Readonly<Record<string, unknown>> };
    if (Object.entries(details).every(([name, value]) => said.details?.[name] === value))
      return { position, id, at: said.at, text };
  }
  throw new CliError("backup-incomplete", { detail: `The audit does not have the entry of this ${action}.` });
}

/** The proof of an entry that is in the log. @param key the verifier key of the audit */
export async function proofText(
  log: Log,
  { position, text }: { readonly position: number; readonly text: string },
  key: string,
): Promise<string> {
  const { size, checkpoint } = await log.state();
  if (checkpoint === null || position >= size) throw new TypeError("the entry is not under a checkpoint");
  const hashes = await new StoredTree((range) => log.hashes(range)).proveInclusion(position, size);
  const proof = formatInclusionProof(position, hashes, checkpoint);
  return writtenProof({ key, entry: text, proof });
}

const writtenProof = ({ key, entry, proof }: z.infer<typeof proofSchema>): string =>
  `${JSON.stringify({ key, entry, proof }, null, 2)}\n`;

/** A manifest that holds, and the verifier key by which it does. */
export interface ProvenManifest {
  readonly manifest: Manifest;
  readonly key: string;
  /** SHA-256 of the manifest, hex. */
  readonly digest: string;
}

/**
 * Checks a manifest against its proof.
 *
 * @param trusted the verifier key of the audit; null: the one in the proof, which says only that the backup is one
 *   piece: whether it is this vault's is found out when it is opened
 * @throws CliError `backup-altered`
 */
export function provenManifest(file: string, proofFile: string, trusted: string | null): ProvenManifest {
  const proof = parsed(proofSchema, proofFile, MANIFEST.proof);
  // Nothing hashes it: it is to be what was written, to the last byte, all the same.
  if (writtenProof(proof) !== proofFile) throw altered(`${MANIFEST.proof} is not what this version writes`);
  const manifest = parsed(manifestSchema, file, MANIFEST.file);
  const digest = digestOf(file);
  const { details } = parsed(entrySchema, proof.entry, `the entry in ${MANIFEST.proof}`);
  if (details.manifest !== digest || details.backup !== manifest.id)
    throw altered(`${MANIFEST.file} is not the one that the audit has an entry of`);
  const own = `strongroom/${manifest.vault}/`;
  try {
    const { index, hashes, checkpoint } = parseInclusionProof(proof.proof);
    const { origin, size, root } = openedCheckpoint(checkpoint, trusted ?? proof.key);
    if (!origin.startsWith(own)) throw altered(`the audit that has an entry of ${MANIFEST.file} is another vault's`);
    if (!provesInclusion(hashes, { index, size, root, leaf: leafHash(proof.entry) }))
      throw altered(`the entry in ${MANIFEST.proof} is in no log that the vault signed`);
    const cut = openedCheckpoint(manifest.cut.checkpoint, trusted ?? proof.key);
    if (!cut.origin.startsWith(own) || cut.size <= manifest.cut.position || (manifest.log?.size ?? cut.size) < cut.size)
      throw altered("its cut is in no log that the vault signed");
    return { manifest, key: renamedVkey(trusted ?? proof.key, cut.origin).vkey, digest };
  } catch (cause) {
    if (tlogFailure(cause) === null) throw cause;
    throw altered(
      trusted === null
        ? `the signature in ${MANIFEST.proof} does not hold`
        : "it is not signed by the key that was given: another vault's, or none",
      cause,
    );
  }
}

/** @throws TlogError */
function openedCheckpoint(note: string, key: string): ReturnType<typeof parseCheckpoint> {
  const { origin } = parseCheckpoint(parseNote(note).text);
  return parseCheckpoint(openNote(note, [renamedVkey(key, origin)]).text);
}

function parsed<Schema extends z.ZodType>(schema: Schema, text: string, what: string): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    // What a parser says quotes the text.
    throw altered(`${what} is not what this version writes`, cause instanceof z.ZodError ? cause : undefined);
  }
}

/** That a backup is not as it was made. */
export function altered(detail: string, cause?: unknown): CliError {
  return new CliError("backup-altered", { detail: `${detail}.`, ...(cause === undefined ? {} : { cause }) });
}
