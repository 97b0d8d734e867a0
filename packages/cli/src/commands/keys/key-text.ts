// Wrapping keys and figures as tables and plans show them.
import { printable } from "@strongroom/base/terminal";

const ARN = /^arn:[a-z-]+:kms:([a-z0-9-]+):(\d{12}):(.+)$/;

/** How a key is shown. */
export interface KeyTextOptions {
  /** Several accounts have keys here: the account tells them apart. */
  readonly withAccount: boolean;
  /** Of a UUID the first eight characters alone. */
  readonly isShort?: boolean;
}

/** A key without what all others have too: its region stands in a column of its own. */
export function keyText(key: string, { withAccount, isShort = false }: KeyTextOptions): string {
  const [, , account, name = key] = ARN.exec(key) ?? [];
  const short = isShort ? name.replace(/([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f-]{22,}$/, "$1…") : name;
  return printable(withAccount && account !== undefined ? `${account} ${short}` : short, 200);
}

/** Providers whose wrapping keys are the vault's own -> what these are; their own wraps are in another line. */
export const INNER_KEYS: Readonly<Record<string, string>> = {
  "aws-kms-hierarchy": "keys of people",
  "strongroom-tenant": "keys of tenants",
  "strongroom-audit": "key of the audit",
};

/** Whether keys of several accounts are among these. */
export function hasSeveralAccounts(keys: readonly string[]): boolean {
  return new Set(keys.map((key) => ARN.exec(key)?.[2]).filter((account) => account !== undefined)).size > 1;
}

/** Material of a key, as far as a person compares it. */
export function materialText(material: string | null): string {
  if (material === null) return "";
  return material.length <= 12 ? printable(material) : `${printable(material.slice(0, 8))}…`;
}

export const number = (value: number): string => value.toLocaleString("en");

/** `1 key`, `12,000 keys`. */
export function counted(count: number, one: string, many: string = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

const UNITS = ["bytes", "kB", "MB", "GB", "TB", "PB"] as const;

/** Bytes in the unit in which they are a small number. */
export function bytesText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? number(value) : value.toLocaleString("en", { maximumSignificantDigits: 3 })} ${UNITS[power] ?? ""}`;
}

/** Dollars; of less than a cent, that it is less. */
export function dollarsText(amount: number): string {
  if (amount > 0 && amount < 0.01) return "less than $0.01";
  return `$${amount.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}
