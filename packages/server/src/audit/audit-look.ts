/**
 * How the audit is, as it was last seen: for metrics and for whoever asks whether the service is ready. Asking costs
 * the stores little and not nothing, so it is done no more often than needed, and by one asker for all.
 */
import { isVaultError } from "@strongroom/vault";
import type { AuditStatus, Vault, VaultErrorCode } from "@strongroom/vault";

/** How long a look is good for, in milliseconds. */
const GOOD_FOR_MS = 2000;
/** How long a request that the audit did not take makes the service not ready, in milliseconds. */
const REMEMBERED_MS = 5000;

/** What was seen. */
export interface AuditSeen {
  /** Null: it could not be asked. */
  readonly status: AuditStatus | null;
  /** Why nothing is released now; null: nothing is known to be the matter. */
  readonly problem: VaultErrorCode | null;
  /** Milliseconds on the clock of `performance.now()`. */
  readonly at: number;
}

/** Codes that say that nothing is released. */
const STOPS: ReadonlySet<string> = new Set<VaultErrorCode>(["audit-unavailable", "store-rolled-back"]);

/** Looks at the audit of a vault. */
export class AuditLook {
  readonly #audit: Vault["audit"];
  #seen: AuditSeen | null = null;
  #looking: Promise<AuditSeen> | null = null;
  #refused = 0;
  #refusedAt = -Infinity;

  constructor({ audit }: Pick<Vault, "audit">) {
    this.#audit = audit;
  }

  /** Notes the code that a request ended with; null: it was answered. */
  note(code: string | null): void {
    if (code !== "audit-unavailable") return;
    this.#refused++;
    this.#refusedAt = performance.now();
  }

  /** How many requests the audit did not take. */
  get refused(): number {
    return this.#refused;
  }

  /** What was last seen; a newer look is taken beside it. Null: there is no audit, or none was taken yet. */
  seenOrSoon(): AuditSeen | null {
    void this.current();
    return this.#seen;
  }

  /** Never older than a moment; null: the vault has no audit. */
  async current(): Promise<AuditSeen | null> {
    const audit = this.#audit;
    if (audit === null) return null;
    const seen = this.#seen;
    if (seen !== null && performance.now() - seen.at < GOOD_FOR_MS) return this.#withRefusals(seen);
    this.#looking ??= look(audit).finally(() => {
      this.#looking = null;
    });
    this.#seen = await this.#looking;
    return this.#withRefusals(this.#seen);
  }

  /** Reading how it is may go well where nothing can be written. */
  #withRefusals(seen: AuditSeen): AuditSeen {
    if (seen.problem !== null || performance.now() - this.#refusedAt > REMEMBERED_MS) return seen;
    return { ...seen, problem: "audit-unavailable" };
  }
}

async function look(audit: NonNullable<Vault["audit"]>): Promise<AuditSeen> {
  try {
    const status = await audit.status();
    const stopped = status.alarms.find(({ code }) => STOPS.has(code));
    return { status, problem: (stopped?.code ?? null) as VaultErrorCode | null, at: performance.now() };
  } catch (error) {
    return { status: null, problem: isVaultError(error) ? error.code : "audit-unavailable", at: performance.now() };
  }
}
