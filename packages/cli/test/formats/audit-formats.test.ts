// Entries of the audit in the words of others: the members that both schemas require, and nothing lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditEvent } from "@strongroom/client";
import { formatEvent } from "../../src/formats/audit-formats.ts";

const EVENT: AuditEvent = {
  position: 7,
  id: "0b9c7a34-1de5-4bb4-a70b-5d3a6a0a1f0e",
  at: "2026-03-04T05:06:07.890Z",
  action: "read",
  result: "done",
  principal: "token:1",
  purpose: "support",
  ticket: "HELP-1",
  collection: "people",
  records: [{ id: "ada", version: 2, subject: "5c5f0dbb-6f2c-4a8e-a1ab-000000000001" }],
  people: ["5c5f0dbb-6f2c-4a8e-a1ab-000000000001"],
  kms: [{ region: "eu-west-1", key: "arn:aws:kms:eu-west-1:1:key/1", requestId: "r-1" }],
  export: null,
  label: null,
  details: {},
};

test("OCSF: API Activity with its required members", () => {
  const read = formatEvent(EVENT, "ocsf") as Readonly<Record<string, unknown>>;
  for (const name of ["activity_id", "actor", "api", "category_uid", "class_uid", "metadata", "severity_id", "time"])
    assert.ok(name in read, name);
  assert.equal(read["type_uid"], 600302);
  assert.equal(read["time"], Date.parse(EVENT.at));
  assert.equal(read["status_id"], 1);
  assert.deepEqual((read["resources"] as unknown[])[0], {
    type: "record",
    namespace: "people",
    uid: "ada",
    version: "2",
    owner: { uid: "5c5f0dbb-6f2c-4a8e-a1ab-000000000001" },
  });
  const { unmapped } = read as { readonly unmapped: Readonly<Record<string, unknown>> };
  assert.deepEqual([unmapped["purpose"], unmapped["ticket"], unmapped["kms"]], ["support", "HELP-1", EVENT.kms]);
  const refused = formatEvent({ ...EVENT, action: "remove", result: "subject-restricted" }, "ocsf");
  assert.deepEqual(
    ["type_uid", "status_id", "status_code"].map((name) => (refused as Readonly<Record<string, unknown>>)[name]),
    [600304, 2, "subject-restricted"],
  );
});

test("ECS: the categorization fields have values that are allowed", () => {
  const kinds = ["read", "write", "remove", "keys-made", "unauthenticated", "accept-restore", "of-a-newer-service"];
  const types = kinds.map((action) => {
    const { event } = formatEvent({ ...EVENT, action }, "ecs") as { event: { type: string[]; outcome: string } };
    assert.equal(event.outcome, "success");
    return event.type[0];
  });
  assert.deepEqual(types, ["access", "change", "deletion", "creation", "denied", "admin", "admin"]);
  const refused = formatEvent({ ...EVENT, result: "purpose-missing" }, "ecs");
  assert.deepEqual((refused as { error: unknown }).error, { code: "purpose-missing" });
  assert.match(JSON.stringify(refused), /HELP-1.*purpose-missing/);
});
