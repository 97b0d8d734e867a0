/**
 * What follows from the entries of the log, in their order: the newest state of each address, and the messages that are
 * known of it. Whoever adds entries and whoever verifies them derives it here, so that both come to the same.
 */
import type { Version } from "../records/address.ts";
import type { Addition, AddressHead, KnownMessage } from "../stores/audit-log.ts";
import type { AddressTag, EntryId } from "../stores/outbox.ts";
import type { EntryRecord, EntryText } from "./entry.ts";

/** Actions that change what is known of addresses. */
const CHANGES: ReadonlySet<string> = new Set(["write", "remove", "rewrap", "adopt", "accept-restore"]);

/** Whether an entry changes what is known of addresses: one of a change that was refused names them too. */
export const isChange = ({ action, result, records }: Pick<EntryText, "action" | "result" | "records">): boolean =>
  records !== undefined && CHANGES.has(action) && result === "done";

/** Whether one of an entry's records is the newest state of its address from then on. */
export const setsHead = ({ action }: Pick<EntryText, "action">, { version, state }: EntryRecord): boolean =>
  version !== null && state !== undefined && action !== "rewrap";

/** The addresses that an entry changes, each once. */
export function tagsOf(entry: EntryText): readonly AddressTag[] {
  if (!isChange(entry)) return [];
  return [...new Set((entry.records ?? []).map(({ tag }) => tag as AddressTag))];
}

/** What entries come to, as far as it is not in the log yet. */
export class Derived {
  readonly #heads = new Map<AddressTag, AddressHead>();
  readonly #messages = new Map<AddressTag, Map<string, KnownMessage>>();
  readonly #removed = new Set<AddressTag>();

  /** The newest state by these entries; undefined: none of them has it. */
  head(tag: AddressTag): AddressHead | undefined {
    return this.#heads.get(tag);
  }

  /** Messages that are known of an address by these entries. */
  messages(tag: AddressTag): readonly KnownMessage[] {
    return [...(this.#messages.get(tag)?.values() ?? [])];
  }

  /** Takes the next entry in. */
  apply(entry: EntryText): void {
    if (!isChange(entry)) return;
    for (const record of entry.records ?? []) this.#record(entry, record);
  }

  #record({ id, action }: EntryText, record: EntryRecord): void {
    const { version, state } = record;
    const tag = record.tag as AddressTag;
    if (version === null) return;
    if (state !== undefined && setsHead({ action }, record)) {
      const names = action === "adopt" || action === "accept-restore";
      const entry = names ? ((record.entry ?? null) as EntryId | null) : id;
      this.#heads.set(tag, { version: version as Version, state, entry });
      // What a restore puts back: messages of what was lost are known no more, and those that are there are told again.
      if (state === "removed" || action === "accept-restore") this.#forget(tag);
    }
    if (record.sha256 !== undefined && state !== "removed") this.#know(tag, version as Version, record.sha256);
  }

  #know(tag: AddressTag, version: Version, hash: string): void {
    const known = this.#messages.get(tag) ?? new Map<string, KnownMessage>();
    known.set(`${version}/${hash}`, { tag, version, sha256: Buffer.from(hash, "base64url") });
    this.#messages.set(tag, known);
  }

  #forget(tag: AddressTag): void {
    this.#messages.delete(tag);
    this.#removed.add(tag);
  }

  /** As the log is given it. */
  get all(): Pick<Addition, "heads" | "messages" | "removed"> {
    return {
      heads: [...this.#heads].map(([tag, head]) => ({ tag, ...head })),
      messages: [...this.#messages.values()].flatMap((known) => [...known.values()]),
      removed: [...this.#removed],
    };
  }
}
