/**
 * The ledger of erasures and holds: NDJSON, a line for each thing that must outlive a restore. A line has an opaque id,
 * a state, a moment and codes, and says nothing of anybody. Lines that a vault writes by itself end in a code that only
 * it can make, so that nobody who writes to the file has it erase people; the ledger that a person gives to
 * `strongroom restore --erasures` is taken at that person's word.
 */
import type { AuditKeys } from "../audit/audit-keys.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { isSubjectId } from "../stores/subjects.ts";

/** A line. */
export type LedgerLine =
  | {
      readonly person: SubjectId;
      readonly state: "erasing" | "erased" | "restricted" | "active";
      /** ISO 8601, UTC. */
      readonly at: string;
    }
  | {
      readonly person: SubjectId;
      readonly state: "held" | "lifted";
      readonly at: string;
      /** The hold's id. */
      readonly hold: string;
      /** A code. */
      readonly reason: string;
    };

/** What lines come to. */
export interface LedgerState {
  readonly erased: ReadonlyMap<SubjectId, "erasing" | "erased">;
  readonly restricted: ReadonlySet<SubjectId>;
  /** Holds that were not lifted, by their ids. */
  readonly holds: ReadonlyMap<string, { readonly person: SubjectId; readonly reason: string; readonly at: string }>;
}

const STATES: ReadonlySet<string> = new Set(["erasing", "erased", "restricted", "active", "held", "lifted"]);
const CODE = /^[a-z0-9.-]{1,64}$/;
const LONGEST = 1_024;
const LABEL = "strongroom/ledger/1\n";

/**
 * A line of its text; null: it is none. Members that it does not know are passed over.
 *
 * @example
 * ```ts
 * import { parseLedgerLine } from "@strongroom/vault";
 *
 * const line = parseLedgerLine('{"person":"0d6b2c1e-6f0a-4b7e-9c57-0f3a8a1b2c3d","state":"erased"}');
 * console.log(line?.state); // prints: erased
 * console.log(parseLedgerLine('{"person":"ada@example.org","state":"erased"}')); // prints: null
 * ```
 */
export function parseLedgerLine(text: string): LedgerLine | null {
  if (text.length > LONGEST) return null;
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof found !== "object" || found === null) return null;
  const { person, state, at = "", hold, reason = "unsaid" } = found as Readonly<Record<string, unknown>>;
  if (!isSubjectId(person) || typeof state !== "string" || !STATES.has(state) || typeof at !== "string") return null;
  if (state !== "held" && state !== "lifted")
    return { person, state: state as Exclude<LedgerLine["state"], "held" | "lifted">, at };
  const isCode = typeof hold === "string" && CODE.test(hold) && typeof reason === "string" && CODE.test(reason);
  return isCode ? { person, state, at, hold, reason } : null;
}

/** What lines come to, in their order. */
export class LedgerReader {
  readonly #erased = new Map<SubjectId, "erasing" | "erased">();
  readonly #restricted = new Set<SubjectId>();
  readonly #holds = new Map<string, { readonly person: SubjectId; readonly reason: string; readonly at: string }>();
  readonly #lifted = new Set<string>();

  take(line: LedgerLine): void {
    const { person } = line;
    switch (line.state) {
      case "erased":
        this.#erased.set(person, "erased");
        break;
      case "erasing":
        if (!this.#erased.has(person)) this.#erased.set(person, "erasing");
        break;
      case "restricted":
        this.#restricted.add(person);
        break;
      case "active":
        this.#restricted.delete(person);
        break;
      case "lifted":
        this.#lifted.add(line.hold);
        this.#holds.delete(line.hold);
        break;
      case "held":
        // Lifted is lifted, in whatever order the lines are.
        if (!this.#lifted.has(line.hold)) this.#holds.set(line.hold, { person, reason: line.reason, at: line.at });
    }
  }

  get state(): LedgerState {
    return { erased: this.#erased, restricted: this.#restricted, holds: this.#holds };
  }
}

/** A line as the vault writes it. */
export function sealedLine(line: LedgerLine, keys: Pick<AuditKeys, "mac">): string {
  const body = JSON.stringify(line);
  const mac = Buffer.from(keys.mac(Buffer.from(`${LABEL}${body}`, "utf8"))).toString("base64url");
  return `${body.slice(0, -1)},"mac":"${mac}"}`;
}

const SEALED = /^(?<body>\{.*),"mac":"(?<mac>[A-Za-z0-9_-]{43})"\}$/;

/** A line that the vault has written; null: it has not. */
export function openLine(text: string, keys: Pick<AuditKeys, "verifies">): LedgerLine | null {
  const { body, mac } = text.length > LONGEST ? {} : (SEALED.exec(text)?.groups ?? {});
  if (body === undefined || mac === undefined) return null;
  const signed = Buffer.from(`${LABEL}${body}}`, "utf8");
  return keys.verifies(signed, Buffer.from(mac, "base64url")) ? parseLedgerLine(`${body}}`) : null;
}
