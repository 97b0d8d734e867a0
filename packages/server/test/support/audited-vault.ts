/**
 * A vault of tests with an audit that remembers what it was told, and by whom, and that can be made to fail.
 */
import { randomBytes } from "node:crypto";
import { VaultError } from "@strongroom/vault";
import type { Actor, Approvals, AuditEvent, AuditQuery, AuditStatus, Vault, VaultAudit } from "@strongroom/vault";
import { memoryStore } from "@strongroom/vault/memory";
import { approvalsOf } from "../../../vault/src/approvals/approvals.ts";
import { StatementSigner } from "../../../vault/src/audit/statements.ts";

/** What was asked of the audit, or told to it. */
export interface Told {
  readonly actor: Actor;
  readonly call: string;
  readonly given: readonly unknown[];
}

export interface AuditedVault {
  readonly vault: Vault;
  readonly told: Told[];
  /** Set to make every call of the audit fail. */
  fails: boolean;
  status: AuditStatus;
  checkpoint: string | null;
}

export const EVENT: AuditEvent = {
  position: 7,
  id: "0b9c7a34-1de5-4bb4-a70b-5d3a6a0a1f0e" as AuditEvent["id"],
  at: "2026-03-04T05:06:07.890Z",
  action: "read",
  result: "done",
  principal: "token:4f0c2a91b7de",
  purpose: "support",
  ticket: "HELP-1",
  collection: "people",
  records: [{ id: "ada", version: 1, subject: "5c5f0dbb-6f2c-4a8e-a1ab-000000000001" }],
  people: ["5c5f0dbb-6f2c-4a8e-a1ab-000000000001"],
  kms: [{ region: "eu-west-1", key: "arn:aws:kms:eu-west-1:111122223333:key/1", requestId: "r-1" }],
  export: null,
  label: null,
  details: {},
};

const STATUS: AuditStatus = {
  history: "0b9c7a34-1de5-4bb4-a70b-5d3a6a0a1f0e",
  size: 12,
  root: "AAAA",
  waiting: 3,
  waitingMs: 1500,
  published: 11,
  adopted: true,
  witnesses: [{ name: "the witness /mnt/w", state: "behind", size: 10 }],
  groups: { appends: 4, entries: 9 },
  alarms: [],
  key: "strongroom/x/y+00000000+AAAA",
};

/** The vault, with an audit in front of it: each call of records is told before it is made. */
export function audited(vault: Vault): AuditedVault {
  const told: Told[] = [];
  const state: AuditedVault = { vault, told, fails: false, status: STATUS, checkpoint: "log\n12\nAAAA\n" };
  const note = (actor: Actor, call: string, given: readonly unknown[]): void => {
    if (state.fails) throw new VaultError("audit-unavailable", "The audit takes no entry");
    told.push({ actor, call, given });
  };
  const auditOf = (actor: Actor): VaultAudit =>
    ({
      status: async () => {
        if (state.fails) throw new VaultError("audit-unavailable", "The audit does not answer");
        return state.status;
      },
      checkpoint: async () => state.checkpoint,
      events: async (query?: AuditQuery) => {
        note(actor, "events", [query]);
        return { events: [EVENT], next: null };
      },
      whoRead: async (...given: unknown[]) => {
        note(actor, "whoRead", given);
        return { events: [EVENT], next: "more" };
      },
      accessLog: async (...given: unknown[]) => {
        note(actor, "accessLog", given);
        return { checkpoint: "note", key: "key", entries: [{ event: EVENT, text: "{}", proof: "proof" }] };
      },
      tell: async (...given: unknown[]) => {
        note(actor, "tell", given);
      },
    }) as unknown as VaultAudit;
  const signer = new StatementSigner("a-vault", randomBytes(32));
  const notes = memoryStore().notes;
  const approvals = ({ principal }: Actor): Approvals =>
    approvalsOf({
      ...{ notes, principal, clock: () => new Date() },
      audit: { sign: async (statement) => signer.sign(statement), statementKey: async () => signer.key },
    });
  const as = (actor: Actor): unknown => ({
    approvals: approvals(actor),
    ...Object.fromEntries(
      (["put", "putMany", "get", "history", "remove", "list", "debts"] as const).map((name) => [
        name,
        async (...given: unknown[]) => {
          note(actor, name, []);
          return (vault[name] as (...all: unknown[]) => unknown).call(vault, ...given);
        },
      ]),
    ),
    audit: auditOf(actor),
  });
  const front = new Proxy(vault, {
    get: (target, name) => {
      if (name === "as") return as;
      if (name === "audit") return auditOf({ principal: "local" });
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (value as (...all: unknown[]) => unknown).bind(target) : value;
    },
  });
  return Object.assign(state, { vault: front });
}
