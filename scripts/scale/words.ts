// Numbers as docs/scale.md writes them: three digits, and what they are of.

const COUNT = [
  [1e12, " trillion"],
  [1e9, " billion"],
  [1e6, " million"],
] as const;
const BYTES = [
  [1e15, " PB"],
  [1e12, " TB"],
  [1e9, " GB"],
  [1e6, " MB"],
  [1e3, " kB"],
] as const;
const TIME = [
  [365 * 86_400, " years"],
  [86_400, " days"],
  [3_600, " h"],
  [60, " min"],
] as const;

export function count(value: number): string {
  return inUnits(value, COUNT, "");
}

export function bytes(value: number): string {
  return inUnits(value, BYTES, " B");
}

/** From two of a unit on. */
export function time(seconds: number): string {
  if (seconds < 1) return "less than 1 s";
  return inUnits(
    seconds,
    TIME.map(([size, unit]) => [size, unit, 2] as const),
    " s",
  );
}

export function dollars(value: number): string {
  if (value > 0 && value < 0.01) return "less than $0.01";
  if (value < 100) return `$${value.toFixed(2)}`;
  return `$${count(value)}`;
}

/** A share, in per cent. */
export function percent(share: number): string {
  if (share > 0 && share < 0.0001) return "less than 0.01 %";
  return `${digits(share * 100)} %`;
}

function inUnits(value: number, units: readonly (readonly [number, string, number?])[], rest: string): string {
  const [size, unit] = units.find(([one, , least = 1]) => value >= one * least) ?? [1, rest];
  return `${digits(value / size)}${unit}`;
}

/** Three that count; zeros behind them are no claim. */
function digits(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: 4 });
}
