/**
 * A person's access log as a file: each entry with a proof that it is in the tree of a signed checkpoint. Whoever gets
 * it verifies it with programs that are not ours: the texts' hashes (RFC 9162), the proofs (c2sp.org/tlog-proof) and
 * the checkpoint (c2sp.org/tlog-checkpoint).
 */
import { formatInclusionProof, parseCheckpoint, parseInclusionProof } from "@strongroom/tlog/checkpoint";
import { parseVkey } from "@strongroom/tlog/keys";
import { openNote, tlogFailure } from "@strongroom/tlog/note";
import { provesInclusion } from "@strongroom/tlog/proof";
import { leafHash } from "@strongroom/tlog/tree";
import { VaultError } from "../errors.ts";
import type { AuditLog, LogRow } from "../stores/audit-log.ts";
import type { AuditKeys } from "./audit-keys.ts";
import { eventsOf, readEntries } from "./events.ts";
import { parseEntry } from "./entry-text.ts";
import { rememberedTree } from "./log-tree.ts";
import { logQuery } from "./queries.ts";
import type { AccessLog, AuditEvent, LogReport } from "./view.ts";

const PAGE = 500;

/** What an access log is made of. */
export interface AccessLogParts {
  readonly log: Pick<AuditLog, "find" | "hashes">;
  readonly keys: Pick<AuditKeys, "openParts">;
  /** The newest checkpoint, its size, and the key that verifies it. */
  readonly head: { readonly note: string; readonly size: number; readonly vkey: string };
}

/**
 * All that the log has about somebody, oldest first, up to the checkpoint.
 *
 * @param people versions of the person's audit key
 * @throws VaultError `record-tampered`, `vault-option-invalid`; the stores'
 */
export async function accessLog(
  { log, keys, head }: AccessLogParts,
  people: readonly string[],
  since: string | undefined,
): Promise<AccessLog> {
  const tree = rememberedTree(log);
  const query = logQuery(since === undefined ? {} : { since }, people);
  const only = new Set(people);
  const entries: AccessLog["entries"][number][] = [];
  let after: number | null = null;
  for (;;) {
    const rows: readonly LogRow[] = await log.find(query, { order: "oldest", after, limit: PAGE });
    const inTree = rows.filter(({ position }) => position < head.size);
    // What is in it about others is not this person's to read.
    const events = await eventsOf(readEntries(inTree), keys, only);
    const byPosition = new Map(events.map((event) => [event.position, event]));
    for (const row of inTree) {
      const event = byPosition.get(row.position);
      if (event === undefined) continue;
      const hashes = await tree.proveInclusion(row.position, head.size);
      const text = row.text === null ? null : Buffer.from(row.text).toString("utf8");
      entries.push({ event, text, proof: formatInclusionProof(row.position, hashes, head.note) });
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE || inTree.length < rows.length) break;
    after = last.position;
  }
  return { checkpoint: head.note, key: head.vkey, entries };
}

/**
 * Verifies an access log without the vault: the checkpoint's signature, and of each entry that its text is in the tree
 * and that what the event says in clear is what the text says. What was sealed cannot be verified without its key.
 *
 * @param key the verifier key that is trusted; the file's own says nothing
 * @throws VaultError `vault-option-invalid`: it is no verifier key
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { openVault, verifyAccessLog } from "@strongroom/vault";
 * import { memoryAuditLog, memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
 * const log = memoryAuditLog();
 * const keys = { store: memoryKeyStore() };
 * await using vault = await openVault({ store: memoryStore(), keyring, keys, audit: { log } });
 * await vault.put({ collection: "people", id: "1" }, { name: "Ada" }, { subject: "ada@example.com" });
 * await vault.audit!.sequence();
 * const { key } = await vault.audit!.status(); // kept elsewhere, or it proves nothing
 *
 * const file = await vault.audit!.accessLog("ada@example.com");
 * console.log(file.entries.length > 0, verifyAccessLog(file, { key }).problems); // prints: true []
 * ```
 */
export function verifyAccessLog(file: AccessLog, { key }: { readonly key: string }): LogReport {
  const problems: LogReport["problems"][number][] = [];
  const head = openedHead(file.checkpoint, key);
  if (head === null) {
    const message = "the checkpoint is not signed by this key";
    return { size: 0, root: "", forgotten: 0, problems: [{ code: "checkpoint", position: null, message }] };
  }
  let forgotten = 0;
  for (const { event, text, proof } of file.entries) {
    const { position } = event;
    const problem = (code: string, message: string): void => void problems.push({ code, position, message });
    const parsed = parsedProof(proof);
    if (text === null) {
      forgotten++;
      continue;
    }
    const claim = { size: head.size, root: head.root, leaf: leafHash(text) };
    if (parsed?.index !== position || parsed.checkpoint !== file.checkpoint)
      problem("proof", "its proof is none of this checkpoint");
    else if (!provesInclusion(parsed.hashes, { ...claim, index: parsed.index }))
      problem("proof", "its text is not in the tree");
    else if (!saysTheSame(event, text)) problem("event", "it says something else than its text");
  }
  return { size: head.size, root: Buffer.from(head.root).toString("base64"), forgotten, problems };
}

function openedHead(note: string, vkey: string): ReturnType<typeof parseCheckpoint> | null {
  try {
    const verifier = parseVkey(vkey);
    return parseCheckpoint(openNote(note, [verifier]).text);
  } catch (error) {
    const failure = tlogFailure(error);
    if (failure === "key-malformed") throw new VaultError("vault-option-invalid", "That is no verifier key");
    if (failure === null) throw error;
    return null;
  }
}

function parsedProof(proof: string): ReturnType<typeof parseInclusionProof> | null {
  try {
    return parseInclusionProof(proof);
  } catch (error) {
    if (tlogFailure(error) === null) throw error;
    return null;
  }
}

/** What of an event is in clear in its text. */
const CLEAR = ["id", "at", "action", "result", "principal"] as const;
const OPTIONAL = ["purpose", "collection", "export"] as const;

function saysTheSame(event: AuditEvent, text: string): boolean {
  const entry = parseEntry(Buffer.from(text, "utf8"));
  if (entry === null) return false;
  return (
    CLEAR.every((member) => event[member] === entry[member]) &&
    OPTIONAL.every((member) => event[member] === (entry[member] ?? null)) &&
    JSON.stringify(event.kms) === JSON.stringify(entry.kms ?? []) &&
    JSON.stringify(event.details) === JSON.stringify(entry.details ?? {})
  );
}
