// The two tables of docs/kms.md on access, made from the tables that test/access asks of the server.

import {
  CONDITIONS,
  NULL_IF_LEFT_OUT,
  OF_EVERY_KEY,
  OF_EVERY_REQUEST,
  OF_NO_REQUEST,
} from "./access/condition-table.ts";
import type { ConditionRow } from "./access/condition-row.ts";
import { PERMISSIONS } from "./access/permission-table.ts";
import { VALID_TO } from "./access/requests.ts";

const code = (text: string): string => `\`${text.replaceAll(String(VALID_TO), "…").replaceAll("|", "\\|")}\``;
const list = (names: readonly string[]): string => names.map(code).join(", ");

/** What the key says of a request without the parameter. */
function leftOutText({ key, leftOut }: ConditionRow): string {
  if (leftOut === null) return "";
  if (leftOut.value === null) return "nothing";
  return code(leftOut.value) + (NULL_IF_LEFT_OUT.has(key) ? "; `Null` holds" : "");
}

/** Permissions of which the same is to be said are one line. */
export function conditionRows(): readonly string[] {
  const lines = new Map<string, string[]>();
  for (const row of CONDITIONS) {
    const given = row.given === null ? ["", ""] : [code(row.given.shown), code(row.given.value ?? "")];
    const rest = [row.type, ...given, leftOutText(row)].join(" | ");
    const line = `${code(row.key)} |@| ${rest}`;
    const permissions = lines.get(line) ?? [];
    lines.set(line, permissions);
    if (!permissions.includes(row.permission)) permissions.push(row.permission);
  }
  return [...lines].map(([line, permissions]) => {
    const [key = "", rest = ""] = line.split(" |@| ");
    return `| ${key} | ${list(permissions)} | ${rest} |`;
  });
}

/** Keys that are not about parameters. */
export function otherKeys(): readonly string[] {
  return [
    `- Of every request about a key: ${list(OF_EVERY_KEY)}.`,
    `- Of every request: ${list(OF_EVERY_REQUEST.map(([key]) => key))}, and \`aws:RequestedRegion\`, \`aws:SourceIp\`,`,
    "  `aws:UserAgent`, `aws:CurrentTime`, `aws:EpochTime`, `aws:userid`, of users `aws:username`.",
    `- Of none, since what they say something of does not exist here: ${list(OF_NO_REQUEST)} and their like.`,
  ];
}

/** A line for each request of the permission table. */
export const permissionRows = (): readonly string[] =>
  Object.entries(PERMISSIONS).map(([name, permissions]) => {
    const needed = permissions.map(({ action, on, by }) => `${code(action)} on ${on} (${by})`);
    return `| ${name} | ${needed.join("<br>")} |`;
  });
