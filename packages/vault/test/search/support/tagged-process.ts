/**
 * A process beside others over one vault: `tagged-process.ts PLACE MODE`. `insert` reads lines `NAME COUNT`, and stores
 * so many records with the e-mail of that name at the same time; it prints what came of them. `build` brings the indexes
 * to what is declared, and prints how many records it has opened after each page.
 */
import { createInterface } from "node:readline";
import type { VaultError } from "@strongroom/vault";
import { openAt } from "./places.ts";
import type { Place } from "./places.ts";

const [place = "", mode = ""] = process.argv.slice(2);
const { vault, close } = await openAt(JSON.parse(place) as Place);
const say = (what: object): void => {
  process.stdout.write(`${JSON.stringify(what)}\n`);
};

async function insert(name: string, count: number): Promise<void> {
  const written = Array.from({ length: count }, (_, n) => `${name}-${process.pid}-${n}`);
  const all = await Promise.allSettled(
    written.map((id) => vault.put({ collection: "people", id }, { email: `${name}@example.com`, name })),
  );
  const refused = all.flatMap((one) => (one.status === "rejected" ? [(one.reason as VaultError).code] : []));
  say({ won: written.filter((_, n) => all[n]?.status === "fulfilled"), refused });
}

if (mode === "build") {
  const applied = await vault.indexes.apply({
    onProgress: ({ records }) => {
      say({ records });
    },
  });
  say({ built: applied.built });
} else {
  say({ ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    const [name = "", count = "0"] = line.split(" ");
    await insert(name, Number(count));
  }
}
await close();
