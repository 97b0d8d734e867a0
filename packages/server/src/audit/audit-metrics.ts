/**
 * What the metrics say of the audit, as it was last seen: nothing is asked of its stores for a page.
 */
import { Gauge } from "prom-client";
import type { Registry } from "prom-client";
import type { AuditStatus } from "@strongroom/vault";
import { lookedUp } from "../looked-up.ts";
import type { AuditLook } from "./audit-look.ts";

const WITNESS_STATES: readonly AuditStatus["witnesses"][number]["state"][] = ["current", "behind", "away"];

/** Adds them. A gauge of what was not seen is NaN: one that was never set would say 0. */
export function auditMetrics(registry: Registry, look: AuditLook): void {
  const registers = [registry];
  const seen = (): AuditStatus | null => look.seenOrSoon()?.status ?? null;
  const page = lookedUp(registry);
  const gauge = (name: string, help: string, value: (status: AuditStatus) => number): void => {
    page.gauge(name, help, () => {
      const status = seen();
      return status === null ? Number.NaN : value(status);
    });
  };
  const total = (name: string, help: string, value: (status: AuditStatus | null) => number): void => {
    page.total(name, help, () => value(seen()));
  };
  gauge("strongroom_audit_entries", "Entries in the log of the audit", ({ size }) => size);
  gauge(
    "strongroom_audit_waiting",
    "Entries that are not in the log yet, counted up to 10,000",
    ({ waiting }) => waiting,
  );
  gauge("strongroom_audit_delay_seconds", "How long the oldest of them waits", ({ waitingMs }) => waitingMs / 1000);
  gauge(
    "strongroom_audit_published",
    "Entries of which the key store has the checkpoint",
    ({ published }) => published,
  );
  gauge("strongroom_audit_adopted", "1 when every older record has an entry", ({ adopted }) => (adopted ? 1 : 0));
  total(
    "strongroom_audit_groups_total",
    "Groups of readers' entries that were appended",
    (status) => status?.groups.appends ?? 0,
  );
  total("strongroom_audit_grouped_total", "Entries in those groups", (status) => status?.groups.entries ?? 0);
  total(
    "strongroom_audit_refused_total",
    "Requests that were refused because the audit took no entry",
    () => look.refused,
  );
  new Gauge({
    name: "strongroom_audit_alarms",
    help: "What was found wrong since the process started, by what it is",
    labelNames: ["code"],
    registers,
    collect() {
      this.reset();
      for (const { code } of seen()?.alarms ?? []) this.inc({ code });
    },
  });
  new Gauge({
    name: "strongroom_audit_witness",
    help: "1 for the state that a witness is in",
    labelNames: ["witness", "state"],
    registers,
    collect() {
      this.reset();
      for (const { name, state: is } of seen()?.witnesses ?? [])
        for (const state of WITNESS_STATES) this.set({ witness: name, state }, is === state ? 1 : 0);
    },
  });
}
