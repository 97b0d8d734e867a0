// Many requests that are refused: those of nobody become a few entries, those of a token one each.
import { test } from "node:test";
import { nobodysFlood, tokensFlood } from "../support/flood-trials.ts";

test("refused requests of nobody fill nothing", async (t) => {
  await nobodysFlood(t, 600);
});

test("each refused request of a token is in the audit", async (t) => {
  await tokensFlood(t, 150);
});
