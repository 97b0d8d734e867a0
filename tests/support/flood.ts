/**
 * Requests that an installation refuses, very many of them, and what they leave in the audit's log.
 */
import { statSync } from "node:fs";
import { Agent, request } from "node:http";
import type { OutgoingHttpHeaders } from "node:http";
import { join } from "node:path";
import { sqliteAuditLog } from "@strongroom/vault/sqlite";
import type { Installation } from "../end-to-end/installation.ts";
import { entriesOf } from "./faults/audited-log.ts";
import type { LoggedEntry } from "./faults/audited-log.ts";

/** One kind of request. */
export interface FloodKind {
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string;
}

const BEARER = { authorization: `Bearer ${"x".repeat(43)}` };

/** What anybody can send who has no token. */
export const NOBODYS: readonly FloodKind[] = [
  { method: "GET", path: "/v1/records/people/ada", headers: {} },
  { method: "GET", path: "/v1/records/people/ada", headers: BEARER },
  { method: "PUT", path: "/v1/records/people/ada", headers: BEARER, body: "{}" },
  { method: "DELETE", path: "/v1/records/people/ada", headers: { authorization: "Basic eDp4" } },
  { method: "GET", path: "/v1/audit?principal=token:x", headers: {} },
  { method: "GET", path: "/nothing/here", headers: {} },
  { method: "GET", path: "/v1/records/people/%ff", headers: BEARER },
  { method: "GET", path: "/readyz", headers: {} },
  { method: "GET", path: "/v1/records/people/ada", headers: { host: "elsewhere.example" } },
  { method: "POST", path: "/v1/records/people", headers: { "content-type": "application/json" }, body: "{" },
];

/** How many answers had each status. */
export type Statuses = Readonly<Record<string, number>>;

/** Sends requests, the kinds in turn, from so many clients at once. */
export async function flood(
  { url }: Pick<Installation, "url">,
  { requests, clients }: { readonly requests: number; readonly clients: number },
  kindOf: (number: number) => FloodKind,
): Promise<Statuses> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const { hostname, port } = new URL(url);
  const statuses: Record<string, number> = {};
  let next = 0;
  const client = async (): Promise<void> => {
    for (let number = next++; number < requests; number = next++) {
      const { body, ...kind } = kindOf(number);
      const status = await new Promise<string>((resolve) => {
        const sent = request({ agent, hostname, port, ...kind }, (answer) => {
          answer.resume();
          answer.once("close", () => {
            resolve(String(answer.statusCode));
          });
        });
        sent.once("error", () => {
          resolve("broken off");
        });
        sent.end(body);
      });
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  return statuses;
}

/** What is in the log of an installation that is down, and how many bytes its stores have. */
export async function afterwards({ dataDir }: Pick<Installation, "dataDir">): Promise<{
  readonly entries: readonly LoggedEntry[];
  readonly bytes: Readonly<Record<"records" | "audit", number>>;
}> {
  const log = await sqliteAuditLog(join(dataDir, "audit.sqlite"));
  const entries = await entriesOf(log).finally(() => log.close());
  const bytesOf = (name: string): number => statSync(join(dataDir, `${name}.sqlite`)).size;
  return { entries, bytes: { records: bytesOf("records"), audit: bytesOf("audit") } };
}
