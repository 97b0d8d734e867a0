/**
 * GET /v1/regions: each region as seen now, totals, and the wraps that are owed; GET /v1/regions/debt: who owes them.
 */
import type { RepairStatus, Vault } from "@strongroom/vault";
import type { Api, ApiContext } from "../api.ts";
import { actingOf } from "../audit/acting.ts";
import { problemAnswers } from "../openapi/answers.ts";
import { debtAnswer, regionsAnswer } from "../openapi/region-schemas.ts";
import type { DebtAnswer, RegionAnswer, RegionsAnswer } from "../openapi/region-schemas.ts";
import { actorHeaders, listQuery } from "../openapi/schemas.ts";
import { extraCalls, REGION_COUNTERS } from "../regions.ts";
import type { RegionCounters, RegionHealth } from "../regions.ts";

export function regionRoutes(app: Api, { vault, regions, limits }: ApiContext): void {
  app.get(
    "/regions",
    {
      config: { scope: "read", action: "keys", work: "none" },
      schema: {
        operationId: "getRegions",
        summary: "Health of the regions",
        description: "From real calls; regions that are not known to be up are asked once more, at most once a second.",
        tags: ["service"],
        response: {
          200: {
            description: "Each region, in the order of preference.",
            content: { "application/json": { schema: regionsAnswer } },
          },
          ...problemAnswers(),
        },
      },
    },
    async (_request, reply) => {
      const seen = await regions.current();
      const answer: RegionsAnswer = {
        minimum: regions.minimum,
        regions: seen.map(shown),
        totals: shownTotals(regions.counters()),
        wrapDebt: await shownDebt(vault),
        repair: shownRepair(vault.repairStatus()),
      };
      return reply.send(answer);
    },
  );

  app.get(
    "/regions/debt",
    {
      // It names records and people: whoever asks is in the audit.
      config: { scope: "read", work: "none", isActing: true },
      schema: {
        operationId: "listDebt",
        summary: "List the keys and versions that owe a wrap",
        description: "Keys first, each in an order that is the store's own. A cursor is a place, not a snapshot.",
        tags: ["service"],
        headers: actorHeaders,
        querystring: listQuery(limits.listItems),
        response: {
          200: { description: "One page.", content: { "application/json": { schema: debtAnswer } } },
          ...problemAnswers("cursor-invalid", "limit-invalid", "audit-actor-invalid"),
        },
      },
    },
    async (request, reply) => {
      const { cursor, limit } = request.query;
      const page: DebtAnswer = await actingOf(request).debts({
        ...(cursor === undefined ? {} : { cursor }),
        ...(limit === undefined ? {} : { limit }),
      });
      request.damaged = page.damaged?.length ?? 0;
      return reply.send(page);
    },
  );
}

/** Member by member: a keyring's report also has key ARNs, which stay inside. */
function shown(status: RegionHealth): RegionAnswer {
  const {
    region,
    state,
    latencyMs,
    calls,
    failures,
    failuresByKind,
    lastFailure,
    lastSuccessAt,
    callsByPurpose,
    callsPerSecond,
    overtaken,
    alarm,
  } = status;
  const { state: breaker, quarantined, restMs } = status.breaker;
  return {
    region,
    state,
    latencyMs,
    calls,
    extraCalls: extraCalls(status),
    callsByPurpose,
    overtaken,
    failures,
    failuresByKind,
    lastFailure,
    lastSuccessAt,
    breaker: { state: breaker, quarantined, restMs },
    callsPerSecond,
    alarm: alarm === null ? null : { kind: alarm.kind, since: alarm.since },
  };
}

function shownTotals(counters: RegionCounters | null): RegionCounters | null {
  if (counters === null) return null;
  return Object.fromEntries(REGION_COUNTERS.map((name) => [name, counters[name]])) as unknown as RegionCounters;
}

async function shownDebt(vault: Pick<Vault, "debtSeen" | "wrapDebt">): Promise<RegionsAnswer["wrapDebt"]> {
  // Counted for whoever asks only while nothing was seen yet.
  const seen = vault.debtSeen() ?? { ...(await vault.wrapDebt()), at: new Date().toISOString(), capped: false };
  const { items, regions, at, capped } = seen;
  // ISO 8601 in UTC: the order of the texts is the order of the times.
  const [oldest = null] = regions.map((region) => region.oldest).sort();
  const oldestSeconds = oldest === null ? null : Math.max(0, Math.round((Date.now() - Date.parse(oldest)) / 1000));
  return { items, oldest, oldestSeconds, regions, at, capped };
}

function shownRepair({
  state,
  repaired,
  settled,
  overtaken,
  failed,
  lastRepairAt,
  lastFailure,
}: RepairStatus): RegionsAnswer["repair"] {
  return { state, repaired, settled, overtaken, failed, lastRepairAt, lastFailure };
}
