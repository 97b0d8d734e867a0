// `strongroom keys cost`: what the keys cost a month in the present scopes, and what they would in the others.
import { renderTable, type Terminal, wrapped } from "@strongroom/base/terminal";
import { isClientError, type KeyCost } from "@strongroom/client";
import { z } from "zod";
import { command, type CommandSpec, option, withService } from "../../command.ts";
import type { Config } from "../../config/config.ts";
import { CliError } from "../../errors.ts";

/** Dollars that AWS lists: for 10,000 requests, and for a KMS key in one region a month. Its free tier is left out. */
const LIST_PRICE = { requests: 0.03, key: 1 } as const;
const PRICED_REQUESTS = 10_000;
const MONTH_SECONDS = 30 * 24 * 3600;
/** A shorter window says little of a month. */
const TELLING_SECONDS = 24 * 3600;

const dollars = (standard: number): z.ZodType<number> =>
  z
    .string()
    .regex(/^\d{1,6}(\.\d{1,6})?$/, "must be an amount, such as 0.03")
    .transform(Number)
    .default(standard);
const keys = z
  .string()
  .regex(/^\d{1,4}$/, "must be a whole number")
  .transform(Number)
  .optional();

/** `strongroom keys cost`. */
export const keysCostCommand: CommandSpec = command({
  name: "keys cost",
  heading: "Looking after it",
  summary: "show the KMS calls and the price a month of the present scopes of keys, and of each other scope",
  description:
    "The service counts its real traffic since it started, and what the same traffic would come to with every " +
    "collection in one scope; that is extrapolated to 30 days. Of several processes the one that answers is counted. " +
    "An import among it weighs as if there were one as often. Proofs of wraps, hedges and repairs are not in the " +
    "scopes' figures; they are in the calls that were counted.",
  flagGroups: ["client"],
  options: {
    priceRequests: option(
      "--price-requests <dollars>",
      `price of 10,000 KMS requests (default: ${LIST_PRICE.requests}, AWS's list price)`,
      dollars(LIST_PRICE.requests),
    ),
    priceKey: option(
      "--price-key <dollars>",
      `price of a KMS key in one region a month (default: ${LIST_PRICE.key})`,
      dollars(LIST_PRICE.key),
    ),
    keys: option(
      "--keys <n>",
      "KMS keys that are paid, in all regions (default: one for records and one for people in each region, " +
        "or one for both where keys.regions names no other)",
      keys,
    ),
  },
  examples: [
    { line: "npx strongroom keys cost", meaning: "at AWS's list price" },
    { line: "npx strongroom keys cost --price-requests 0 --price-key 0 --json", meaning: "calls alone, for programs" },
  ],
  run: withService(async (client, { context, loaded, options }) => {
    const cost = await client.keyCost().catch((error: unknown) => {
      // A service of the version before does not know the question.
      if (isClientError(error) && error.code === "route-absent") return null;
      throw error;
    });
    if (cost === null)
      throw new CliError("service-refused", {
        title: "The service has no key store",
        detail: "Each version is in record scope, and nothing is counted.",
        remedy: "Ask a service of strongroom up or strongroom serve of this version.",
        outcome: "failure",
      });
    const bill = monthlyBill(cost, {
      perRequests: options.priceRequests,
      perKey: options.priceKey,
      keys: options.keys ?? (sharesKeys(loaded.config) ? cost.regions.records : undefined),
    });
    context.terminal.result({ ...bill, counted: cost.counted }, () => billView(bill, cost, context.terminal));
  }),
});

/** Generation 0, as far as it is configured here: the keys of records wrap those of people too, and are paid once. */
function sharesKeys({ keys: { regions } }: Config): boolean {
  return regions?.every(({ keyStoreKeyArn }) => keyStoreKeyArn === undefined) === true;
}

/** Prices in dollars, and how many KMS keys are paid. */
export interface Prices {
  readonly perRequests: number;
  readonly perKey: number;
  /** Left out: two in each region. */
  readonly keys?: number | undefined;
}

/** What a choice of scopes comes to in a month. */
export interface BillLine {
  readonly scopes: "present" | keyof KeyCost["inScope"];
  readonly calls: number;
  /** In dollars: of the calls, of the keys, of both. */
  readonly requests: number;
  readonly keys: number;
  readonly total: number;
}

/** A month as the window says it would be. */
export interface Bill {
  readonly from: string;
  readonly to: string;
  readonly seconds: number;
  readonly traffic: KeyCost["traffic"];
  readonly paidKeys: number;
  readonly month: readonly BillLine[];
}

/** Extrapolates what was counted to a month of 30 days. */
export function monthlyBill(cost: KeyCost, { perRequests, perKey, keys: given }: Prices): Bill {
  const { from, to, regions, traffic, present, inScope } = cost;
  const seconds = Math.max(1, (Date.parse(to) - Date.parse(from)) / 1000);
  const paidKeys = given ?? regions.records + regions.keys;
  const line = (scopes: BillLine["scopes"], counted: number): BillLine => {
    const calls = Math.round((counted / seconds) * MONTH_SECONDS);
    const requests = (calls / PRICED_REQUESTS) * perRequests;
    return { scopes, calls, requests, keys: paidKeys * perKey, total: requests + paidKeys * perKey };
  };
  const month = [
    line("present", present.record + present.subject + present.tenant),
    ...(["record", "subject", "tenant"] as const).map((scope) => line(scope, inScope[scope])),
  ];
  return { from, to, seconds: Math.round(seconds), traffic, paidKeys, month };
}

function billView({ seconds, month, traffic, paidKeys }: Bill, { counted }: KeyCost, terminal: Terminal): string {
  const table = renderTable(
    [
      { heading: "SCOPE" },
      { heading: "KMS CALLS A MONTH", align: "right" },
      { heading: "REQUESTS", align: "right" },
      { heading: `${paidKeys} KEYS`, align: "right" },
      { heading: "A MONTH", align: "right" },
    ],
    month.map(({ scopes, calls, requests, keys: ofKeys, total }) => [
      scopes === "present" ? "as it is" : `all ${scopes}`,
      number(calls),
      price(requests),
      price(ofKeys),
      price(total),
    ]),
    terminal.width,
  );
  const { writes, reads, newOwners } = traffic;
  const said = [
    `Counted in ${lasting(seconds)}: ${number(writes)} versions written, ${number(reads)} read, ` +
      `${number(newOwners)} people new.`,
    ...(seconds < TELLING_SECONDS ? ["A month is more than that time can tell: look again after a day."] : []),
    ...(counted === null ? [] : [`KMS calls made, whatever for: ${callsText(counted)}.`]),
  ];
  return [table, "", ...said.map((line) => wrapped(line, terminal.width, 0))].join("\n");
}

function callsText({ calls, byPurpose }: NonNullable<KeyCost["counted"]>): string {
  const purposes = Object.entries(byPurpose).map(([purpose, count]) => `${purpose} ${number(count)}`);
  return purposes.length === 0 ? number(calls) : `${number(calls)} (${purposes.join(", ")})`;
}

function lasting(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes < 2) return `${seconds} s`;
  if (minutes < 120) return `${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}

const number = (value: number): string => value.toLocaleString("en");
const price = (amount: number): string =>
  `$${amount.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
