/**
 * Metrics of one number each, which is looked up when the page is asked for.
 */
import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";

/** Adds one. */
type Add = (name: string, help: string, value: () => number) => void;

/** Adds such metrics to a page: what is now, and what has come together since the process started. */
export function lookedUp(registry: Registry): { readonly gauge: Add; readonly total: Add } {
  const registers = [registry];
  return {
    gauge(name, help, value) {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    },
    total(name, help, value) {
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(value());
        },
      });
    },
  };
}
