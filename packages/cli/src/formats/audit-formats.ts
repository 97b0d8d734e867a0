// Entries of the audit in the words of others. OCSF: class API Activity (6003) of category Application Activity (6),
// its attributes and enumerations as in schema.ocsf.io/1.3.0/classes/api_activity. ECS: the field sets Base, Event,
// User, Error, Service and ECS, the categorization fields as in elastic.co/docs/reference/ecs (ecs-event,
// ecs-allowed-values-event-type, -category and -outcome).
import type { AuditEvent } from "@strongroom/client";

/** What an entry is written as. */
export type AuditFormat = "events" | "ocsf" | "ecs";

/** Of OCSF's API Activity. */
const ACTIVITIES = { create: 1, read: 2, update: 3, delete: 4, other: 99 } as const;
const CLASS_UID = 6003;

/** Action -> what it is in both. Every other one is an act of administration. */
const KINDS: Readonly<Record<string, { readonly ocsf: keyof typeof ACTIVITIES; readonly ecs: string }>> = {
  read: { ocsf: "read", ecs: "access" },
  list: { ocsf: "read", ecs: "access" },
  history: { ocsf: "read", ecs: "access" },
  "audit-read": { ocsf: "read", ecs: "access" },
  "people-listed": { ocsf: "read", ecs: "access" },
  state: { ocsf: "read", ecs: "access" },
  write: { ocsf: "update", ecs: "change" },
  remove: { ocsf: "delete", ecs: "deletion" },
  "keys-made": { ocsf: "create", ecs: "creation" },
  unauthenticated: { ocsf: "other", ecs: "denied" },
};
const ADMINISTRATION = { ocsf: "other", ecs: "admin" } as const;

/** One entry. */
export function formatEvent(event: AuditEvent, format: AuditFormat): object {
  return FORMATS[format](event);
}

const FORMATS: Readonly<Record<AuditFormat, (event: AuditEvent) => object>> = {
  events: (event) => event,
  ocsf: asOcsf,
  ecs: asEcs,
};

function outcomeOf({ result }: AuditEvent): "success" | "failure" | "unknown" {
  if (result === "done") return "success";
  return result === "begun" ? "unknown" : "failure";
}

/** Attributes that are recommended or required, and `unmapped` for the rest. */
function asOcsf(event: AuditEvent): object {
  const { id, at, action, result, principal, label, collection, records, position, kms, ...rest } = event;
  const activity = ACTIVITIES[(KINDS[action] ?? ADMINISTRATION).ocsf];
  const status = { success: 1, failure: 2, unknown: 0 }[outcomeOf(event)];
  return {
    category_uid: 6,
    class_uid: CLASS_UID,
    type_uid: CLASS_UID * 100 + activity,
    activity_id: activity,
    severity_id: status === 2 ? 3 : 1,
    time: Date.parse(at),
    status_id: status,
    status_code: result,
    metadata: {
      version: "1.3.0",
      uid: id,
      ...(position === null ? {} : { sequence: position }),
      product: { name: "Strongroom", vendor_name: "Strongroom" },
    },
    actor: { user: { uid: principal, ...(label === null ? {} : { name: label }) } },
    api: { operation: action, service: { name: "strongroom" } },
    // The audit knows principals, and no addresses.
    src_endpoint: { name: "unknown" },
    resources: records.map(({ id: record, version, subject }) => ({
      type: "record",
      ...(collection === null ? {} : { namespace: collection }),
      ...(record === null ? {} : { uid: record }),
      ...(version === null ? {} : { version: String(version) }),
      ...(subject === null ? {} : { owner: { uid: subject } }),
    })),
    unmapped: { collection, kms, ...rest },
  };
}

function asEcs(event: AuditEvent): object {
  const { id, at, action, result, principal, label, collection, position, records, people, kms } = event;
  const { purpose, ticket, export: exported, details } = event;
  const outcome = outcomeOf(event);
  return {
    "@timestamp": at,
    ecs: { version: "8.17.0" },
    event: {
      id,
      kind: "event",
      category: ["database"],
      type: [(KINDS[action] ?? ADMINISTRATION).ecs],
      action,
      outcome,
      provider: "strongroom",
      dataset: "strongroom.audit",
      ...(position === null ? {} : { sequence: position }),
      ...(purpose === null ? {} : { reason: purpose }),
    },
    ...(outcome === "failure" ? { error: { code: result } } : {}),
    user: { id: principal, ...(label === null ? {} : { name: label }) },
    service: { type: "strongroom" },
    // A name of their own: fields of others stay theirs.
    strongroom: { audit: { collection, records, people, kms, ticket, export: exported, result, details } },
  };
}
