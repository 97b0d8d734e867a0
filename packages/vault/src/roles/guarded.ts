/**
 * The calls of a vault that are about people, keys or the whole of it, on behalf of somebody with roles: each is made
 * only by whoever may, which is decided before it is begun, and what is refused is told in the audit.
 *
 * Threat: a role that sees masks asks by another way, as for what is held of somebody, who was erased, or who read.
 */
import type { Approvals } from "../approvals/approvals.ts";
import type { Auditor } from "../audit/auditor.ts";
import type { AuditAction } from "../audit/entry.ts";
import type { VaultAudit } from "../audit/view.ts";
import type { Convergence } from "../convergence/view.ts";
import type { Erasures } from "../erasure/erasures.ts";
import { asking } from "../records/asked.ts";
import type { Retention } from "../retention/retention.ts";
import type { Subjects } from "../subjects/subjects.ts";
import type { Access } from "./access.ts";
import type { Action } from "./policy.ts";

/** What a call needs. */
interface Need {
  /** One of these, of all collections. Empty: nothing. */
  readonly anyOf: readonly Action[];
  /** As which a refusal is told. */
  readonly as: AuditAction;
  /** Whether it answers with a stream. */
  readonly isStream?: boolean;
}

/** What each call of a part needs: one that is not named here there is not. */
export type Needs<Part> = { readonly [Name in keyof Part]-?: Need };

const need = (as: AuditAction, ...anyOf: readonly Action[]): Need => ({ as, anyOf });

/** Of `vault.subjects`. */
export const SUBJECT_NEEDS: Needs<Subjects> = {
  state: need("state", "read"),
  records: need("people-listed", "read"),
  restrict: need("restrict", "write"),
  release: need("release", "write"),
  renewKey: need("renew-key", "keys"),
};

/** Of `vault.erasure`: who may read everything may know who was erased or is held. */
export const ERASURE_NEEDS: Needs<Erasures> = {
  erase: need("erase", "erase"),
  resume: need("erase", "erase"),
  hold: need("hold", "erase"),
  liftHold: need("lift-hold", "erase"),
  underWay: need("erase", "erase", "read"),
  certificate: need("erase", "erase", "read"),
  certificateKey: need("erase", "erase", "read"),
  holds: need("hold", "erase", "read"),
  heldPeople: need("hold", "erase", "read"),
  ledger: { ...need("erase", "erase"), isStream: true },
};

/** Of `vault.retention`. */
export const RETENTION_NEEDS: Needs<Retention> = {
  plan: need("retention", "admin"),
  run: need("retention", "admin"),
};

/** Of `vault.convergence`. */
export const CONVERGENCE_NEEDS: Needs<Convergence> = {
  plan: need("converge", "keys", "read"),
  inventory: need("converge", "keys", "read"),
  status: need("converge", "keys", "read"),
  failures: need("converge", "keys", "read"),
  probe: need("converge", "keys", "read"),
  apply: need("converge", "keys"),
  pause: need("converge", "keys"),
  resume: need("converge", "keys"),
  cancel: need("converge", "keys"),
  undo: need("converge", "keys"),
};

/** Of `vault.approvals`. */
export const APPROVAL_NEEDS: Needs<Approvals> = {
  list: need("administration", "admin", "read"),
  require: need("administration", "admin", "read"),
  request: need("administration", "admin"),
  approve: need("administration", "admin"),
  withdraw: need("administration", "admin"),
};

/** Of `vault.audit`. */
export const AUDIT_NEEDS: Needs<VaultAudit> = {
  status: need("audit-read", "audit"),
  checkpoint: need("audit-read", "audit"),
  events: need("audit-read", "audit"),
  whoRead: need("audit-read", "audit"),
  accessLog: need("audit-read", "audit"),
  verify: need("verify", "audit"),
  statementKey: need("audit-read", "audit"),
  sequence: need("audit-read", "audit"),
  tell: need("administration", "admin"),
  sign: need("statement", "admin"),
  forget: need("administration", "admin"),
};

type Call = (...given: readonly unknown[]) => unknown;

/** A part of a vault as somebody may use it. */
export function guarded<Part extends object>(
  part: Part,
  needs: Needs<Part>,
  { access, audit }: { readonly access: Access; readonly audit: Auditor | null },
): Part {
  if (access.isUnbound) return part;
  const calls = Object.entries<Need>(needs).map(([name, { anyOf, as, isStream = false }]): [string, Call] => {
    const call = Reflect.get(part, name) as Call;
    const refuse = (refusal: unknown): Promise<never> => asking(audit, as, () => Promise.reject(refusal as Error));
    return [
      name,
      (...given) => {
        try {
          // In one turn with the call itself: what it is given cannot be changed in between.
          access.requireAny(anyOf);
        } catch (refusal) {
          return isStream ? refusedStream(() => refuse(refusal)) : refuse(refusal);
        }
        return Reflect.apply(call, part, given);
      },
    ];
  });
  return Object.fromEntries(calls) as Part;
}

async function* refusedStream(refuse: () => Promise<never>): AsyncGenerator<never> {
  await refuse();
}

/** The audit as somebody may use it: that an export of theirs has ended everybody says. */
export function guardedAudit(view: VaultAudit, on: { readonly access: Access; readonly audit: Auditor }): VaultAudit {
  if (on.access.isUnbound) return view;
  const own = guarded(view, AUDIT_NEEDS, on);
  return {
    ...own,
    tell: (action, result, facts) => (action === "export-ended" ? view : own).tell(action, result, facts),
  };
}
