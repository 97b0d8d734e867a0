// What a plan looks like on a screen: of each store the items by what becomes of them, with + and - at wraps that come
// and go, and what it takes.
import { duration, renderTable, type Style, type Terminal, wrapped } from "@strongroom/base/terminal";
import type { ConvergencePlan, Forecast } from "@strongroom/client";
import {
  bytesText,
  counted,
  dollarsText,
  hasSeveralAccounts,
  INNER_KEYS,
  keyText,
  materialText,
  number,
} from "./key-text.ts";

type StorePlan = ConvergencePlan["stores"][number];
type Line = StorePlan["lines"][number];
type Wrap = Line["wraps"][number];

const ITEMS: Readonly<Record<StorePlan["store"], readonly [one: string, many: string]>> = {
  keys: ["key", "keys"],
  records: ["version", "versions"],
};

const WHAT: Readonly<Record<StorePlan["store"], string>> = { keys: "Keys of people", records: "Records" };

const CHANGES: Readonly<
  Record<Line["change"], { readonly mark: string; readonly style: Style; readonly what: string }>
> = {
  none: { mark: " ", style: "dim", what: "as declared" },
  add: { mark: "~", style: "yellow", what: "new wraps are added" },
  drop: { mark: "~", style: "yellow", what: "old wraps go" },
  "add-and-drop": { mark: "~", style: "yellow", what: "new wraps are added, then old ones go" },
  "seal-anew": { mark: "~", style: "yellow", what: "sealed anew under the declared keys" },
  inner: { mark: " ", style: "dim", what: "under keys of the vault itself" },
  unknown: { mark: "!", style: "red", what: "the row of their wraps is damaged: nothing is done" },
};

const WRAPS: Readonly<Record<Wrap["change"], { readonly mark: string; readonly style: Style }>> = {
  comes: { mark: "+", style: "green" },
  goes: { mark: "-", style: "red" },
  stays: { mark: " ", style: "dim" },
};
const ORDER = Object.keys(WRAPS) as readonly Wrap["change"][];

/** Whether a run would do anything. */
export function hasChanges({ stores, scopes, problems }: ConvergencePlan): boolean {
  if (problems.some(({ code }) => code === "nothing-to-do")) return false;
  return (
    scopes.length > 0 ||
    stores.some(
      ({ flips, kept, lines }) => flips || kept > 0 || lines.some(({ change }) => CHANGES[change].mark === "~"),
    )
  );
}

/** The whole plan; `plan` can be printed. */
export function planView(plan: ConvergencePlan, terminal: Terminal): string {
  const withAccount = hasSeveralAccounts(
    plan.stores.flatMap(({ lines }) => lines.flatMap(({ wraps }) => wraps.map(({ key }) => key))),
  );
  const parts = [
    ...plan.stores.map((store) => storeView(store, withAccount, terminal)),
    scopesView(plan, terminal),
    hasChanges(plan) ? forecastView(plan.forecast, terminal) : "",
    problemsView(plan, terminal),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function storeView(store: StorePlan, withAccount: boolean, terminal: Terminal): string {
  const { lines, kept, declared } = store;
  const title = terminal.style("bold", WHAT[store.store]);
  const wraps = declared.keys === null ? "" : `, ${counted(declared.target, "wrap")} each`;
  const flip = store.flips ? [flipLine(store, terminal)] : [];
  const old = kept === 0 ? [] : [`  ${terminal.style("red", "-")} ${counted(kept, "old message")}, kept until now`];
  const rows = lines.flatMap((line) => lineView(line, store.store, withAccount, terminal));
  const empty = rows.length + old.length === 0 ? ["    nothing is stored"] : [];
  return [`${title}${wraps}`, ...flip, ...rows, ...old, ...empty]
    .map((line) => wrapped(line, terminal.width, 4))
    .join("\n");
}

function flipLine({ inForce, declared }: StorePlan, terminal: Terminal): string {
  const before = inForce === null ? "no key set" : `key set ${inForce.slice(0, 8)}…`;
  return `  ${terminal.style("yellow", "~")} ${before} is in force, ${declared.digest.slice(0, 8)}… is put in force first`;
}

function lineView(
  { items, change, wraps }: Line,
  store: StorePlan["store"],
  withAccount: boolean,
  terminal: Terminal,
): readonly string[] {
  const { mark, style, what } = CHANGES[change];
  const [one, many] = ITEMS[store];
  const head = `  ${terminal.style(style, mark)} ${counted(items, one, many)}: ${what}`;
  if (change === "inner") {
    const under = wraps.map(({ provider }) => INNER_KEYS[provider]).filter((name) => name !== undefined);
    return [under.length === 0 ? head : `${head}: ${[...new Set(under)].join(", ")}`];
  }
  const widest = wraps.reduce((most, { region }) => Math.max(most, region?.length ?? 0), 0);
  return [
    head,
    ...wraps.toSorted(byChange).map((wrap) => {
      const { mark: sign, style: colour } = WRAPS[wrap.change];
      const material = wrap.material === null ? "" : ` (material ${materialText(wrap.material)})`;
      const where = widest === 0 ? "" : `${(wrap.region ?? "").padEnd(widest)}  `;
      return `      ${terminal.style(colour, `${sign} ${where}${keyText(wrap.key, { withAccount })}${material}`)}`;
    }),
  ];
}

function byChange(one: Wrap, other: Wrap): number {
  const [first, second] = [one, other].map(
    ({ change, region, key }) => `${ORDER.indexOf(change)} ${region ?? ""} ${key}`,
  );
  return (first ?? "") < (second ?? "") ? -1 : 1;
}

function scopesView({ scopes }: ConvergencePlan, terminal: Terminal): string {
  if (scopes.length === 0) return "";
  const lines = scopes.map(({ collection, to, items }) => {
    const many = items === null ? "found while it goes" : counted(items, "version");
    const text = `${collection}: what is not in ${to} scope is sealed anew (${many})`;
    return wrapped(`  ${terminal.style("yellow", "~")} ${text}`, terminal.width, 4);
  });
  return [terminal.style("bold", "Scopes"), ...lines].join("\n");
}

/** What it takes: also of a run that is over. */
export function forecastView(forecast: Forecast, terminal: Terminal): string {
  const { calls, total, dollars, price, seconds, rate, bytes, keptBytes } = forecast;
  const table = renderTable(
    [{ heading: "REGION" }, { heading: "OPERATION" }, { heading: "KMS CALLS", align: "right" }],
    calls.map((line) => [line.region === "" ? "-" : line.region, line.operation, number(line.calls)]),
    terminal.width,
  );
  const said = [
    `${counted(total, "KMS call")}, ${dollarsText(dollars)} at $${price} for 10,000 calls.`,
    `About ${duration(Math.max(1, seconds))} at ${number(rate)} calls a second and region; regions work side by side.`,
    `About ${bytesText(bytes)} are written${keptBytes === 0 ? "." : `, and old messages take ${bytesText(keptBytes)} until they are dropped.`}`,
  ];
  const lines = said.map((line) => wrapped(line, terminal.width));
  return calls.length === 0 ? lines.join("\n") : [table, "", ...lines].join("\n");
}

function problemsView({ problems }: ConvergencePlan, terminal: Terminal): string {
  return problems
    .map(({ code, message, blocks }) => {
      const style = blocks ? "red" : code === "nothing-to-do" ? "green" : "yellow";
      return wrapped(
        `${terminal.style(style, blocks ? "In the way:" : "Note:")} ${message}.`.replace(/\.\.$/, "."),
        terminal.width,
        2,
      );
    })
    .join("\n");
}
