// `npm run scale`: prints docs/scale.md, with `--set NAME=VALUE` for other numbers than it assumes. `--write` writes the
// page and its picture; `--measure` measures the rows' sizes first.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { NUMBERS, type Numbers } from "./assumptions.ts";
import { scalePage } from "./page.ts";
import { scalePicture } from "./picture.ts";
import type { MeasuredSizes } from "./row-sizes.ts";

const docs = (name: string): URL => new URL(`../../docs/${name}`, import.meta.url);
const SIZES = docs("scale-sizes.json");

const MAY_BE_NONE: ReadonlySet<string> = new Set([
  "dollarsPer10000",
  "ownKeys",
  "proveShare",
  "writesPerVisit",
  "newShare",
  "breakerStrikes",
  "hedgeReserve",
  "hedgeRatio",
]);

const { values } = parseArgs({
  options: {
    set: { type: "string", multiple: true, default: [] },
    write: { type: "boolean", default: false },
    measure: { type: "boolean", default: false },
  },
});

const given = Object.fromEntries(values.set.map(numberOf));
if (values.write && values.set.length > 0)
  throw new Error("The page is written with its own numbers: leave out --set.");
if (values.measure) {
  // Loads a KMS, two databases and the vault, of which a model knows nothing.
  const { measureSizes } = await import("./row-sizes.ts");
  writeFileSync(SIZES, `${JSON.stringify(await measureSizes(), null, 2)}\n`);
}
const numbers: Numbers = { ...NUMBERS, ...given };
const page = scalePage(numbers, JSON.parse(readFileSync(SIZES, "utf8")) as MeasuredSizes);
if (values.write) {
  writeFileSync(docs("scale.md"), page);
  writeFileSync(docs("pictures/scale.svg"), scalePicture(numbers));
} else process.stdout.write(page);

/** `regions=2` */
function numberOf(text: string): readonly [string, number] {
  const [name = "", value = ""] = text.split("=");
  if (!Object.hasOwn(NUMBERS, name)) throw new Error(`There is no ${name}: ${Object.keys(NUMBERS).join(", ")}`);
  const number = Number(value);
  // An outage takes one region of several; and what the model divides by is not 0.
  const least = name === "regions" ? 2 : MAY_BE_NONE.has(name) ? 0 : Number.MIN_VALUE;
  if (value === "" || !Number.isFinite(number) || number < least)
    throw new Error(`${name} must be a number${name === "regions" ? " from 2" : least === 0 ? " from 0" : " above 0"}`);
  return [name, number];
}
