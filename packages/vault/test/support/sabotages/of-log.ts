/**
 * Logs of the audit that break one promise each.
 */
import type { Addition, AddressHead, AuditLog, LogState } from "../../../src/stores/audit-log.ts";
import type { AddressTag } from "../../../src/stores/outbox.ts";
import { turn } from "./sabotage.ts";

/** One promise that is broken. */
export interface LogSabotage {
  /** The behaviour, as the contract states it. */
  readonly foundBy: string;
  readonly alter: (log: AuditLog) => AuditLog;
}

/** A log some of whose methods are other ones. */
const breaks = (foundBy: string, parts: (log: AuditLog) => Partial<AuditLog>): LogSabotage => ({
  foundBy,
  alter: (log) => ({ ...log, ...parts(log) }),
});

/** A log that is given other additions. */
const adding = (foundBy: string, change: (addition: Addition, log: AuditLog) => Promise<Addition>): LogSabotage =>
  breaks(foundBy, (log) => ({
    integrate: async (base, addition, lease) => log.integrate(base, await change(addition, log), lease),
  }));

/** The addition behind another base. */
const behind = ({ history, size }: LogState, { state, ...addition }: Addition): Addition => ({
  ...addition,
  state: { ...state, history: history ?? state.history, size: size + addition.entries.length },
});

/** What is broken -> who finds it, and how it is broken. */
export const OF_LOG: Readonly<Record<string, LogSabotage>> = {
  "keeps texts as UTF-8": breaks(
    "what is added is there byte for byte, and any log over the storage has it",
    (own) => ({
      entries: async (range) =>
        (await own.entries(range)).map((row) => ({
          ...row,
          text: row.text && Buffer.from(Buffer.from(row.text).toString()),
        })),
    }),
  ),
  "finds an id once however often it is asked for": breaks(
    "entries are read from any position on, and found by their ids",
    (own) => ({ positions: (ids) => own.positions([...new Set(ids)]) }),
  ),
  "adds to whatever there is": breaks("nothing is added to what the log is not any more", (log) => ({
    integrate: async (_base, addition, lease) => {
      const now = await log.state();
      return log.integrate(now, behind(now, addition), lease);
    },
  })),
  "adds for whoever held the lease once": breaks("nobody whose lease is another's adds anything", (log) => ({
    integrate: async (base, addition, lease) => {
      const row = (await log.jobs.list()).find(({ partition }) => partition === lease.partition);
      return log.integrate(base, addition, { ...lease, fence: row?.fence ?? lease.fence });
    },
  })),
  "leaves out what is in it already": breaks(
    "an entry that is in the log is refused, and nothing comes with it",
    (log) => ({
      integrate: async (base, addition, lease) => {
        const there = await log.positions(addition.entries.map(({ id }) => id));
        const entries = addition.entries.filter((_, index) => there[index] === null);
        const state = { ...addition.state, size: base.size + entries.length };
        return log.integrate(base, { ...addition, entries, state }, lease);
      },
    }),
  ),
  "tells whoever comes second that all is integrated": breaks(
    "of many additions to one log exactly one is made, and none in part",
    (log) => ({
      integrate: async (base, addition, lease) => {
        await log.integrate(base, addition, lease);
        return "integrated";
      },
    }),
  ),
  "adds subtrees of what is overtaken": breaks(
    "of many additions to one log exactly one is made, and none in part",
    (log) => ({
      integrate: async (base, addition, lease) => {
        const result = await log.integrate(base, addition, lease);
        const now = await log.state();
        if (result === "overtaken")
          await log.integrate(now, behind(now, { ...addition, entries: [], heads: [], messages: [] }), lease);
        return result;
      },
    }),
  ),
  "adds the half first": breaks("whoever reads meanwhile sees the whole of an addition or nothing of it", (log) => ({
    integrate: async (base, addition, lease) => {
      const { heads } = addition;
      const half = { ...addition, entries: [], heads: heads.slice(0, 20) };
      const state = { ...addition.state, size: base.size };
      if ((await log.integrate(base, { ...half, state }, lease)) === "overtaken") return "overtaken";
      await turn();
      return log.integrate(await log.state(), addition, lease);
    },
  })),
  "has published what it was told last": (() => {
    let told = 0;
    return breaks("what is published only grows, whoever tells it", (own) => ({
      published: async (size) => {
        told = size;
      },
      state: async () => ({ ...(await own.state()), published: told }),
    }));
  })(),
  "tells hashes beyond what is missing": breaks(
    "hashes of leaves and of subtrees are told by height and place, up to what is missing",
    (own) => ({
      hashes: async ({ height, start, end }) => {
        const found = [];
        for (let index = start; index < end; index++)
          found.push(...(await own.hashes({ height, start: index, end: index + 1 })));
        return found;
      },
    }),
  ),
  "goes on behind the largest entry": breaks(
    "an answer has entries of so many bytes, at least one, and the next one goes on",
    (own) => ({ entries: async (range) => (await own.entries(range)).filter(({ position }) => position !== 16) }),
  ),
  "counts who is in an entry once": breaks("how many rows there are is counted", (own) => ({
    counts: async () => {
      const counted = await own.counts();
      return { ...counted, people: Math.min(counted.people, counted.entries - 1) };
    },
  })),
  "asks for 500 addresses and no more": breaks("a large addition is made at once", (own) => ({
    latest: (queries) => own.latest(queries.slice(0, 500)),
  })),
  "keeps the first head of an address": adding(
    "of an address the newest head is known, as it was told last",
    async (addition, log) => {
      const there = await log.latest(addition.heads.map(({ tag }) => ({ tag, message: null })));
      return { ...addition, heads: addition.heads.filter((_, index) => there[index]!.head === null) };
    },
  ),
  "knows what nobody asked for": breaks("of an address the newest head is known, as it was told last", (own) => ({
    latest: async (queries) =>
      (await own.latest(queries)).map((one, index) =>
        queries[index]!.message === null ? { ...one, isKnown: true } : one,
      ),
  })),
  "knows a message whatever its version": breaks(
    "a message is known of the version that it was told of, and others stay known",
    (own) => ({
      latest: async (queries) => {
        const other = queries.map(({ tag, message }) => ({
          tag,
          message: message && { ...message, version: (3 - message.version) as typeof message.version },
        }));
        const [found, others] = [await own.latest(queries), await own.latest(other)];
        return found.map((one, index) => ({ ...one, isKnown: one.isKnown || others[index]!.isKnown }));
      },
    }),
  ),
  "knows the newest message of an address": adding(
    "a message is known of the version that it was told of, and others stay known",
    async (addition) => ({ ...addition, removed: [...addition.removed, ...addition.messages.map(({ tag }) => tag)] }),
  ),
  "keeps the messages of what is removed": adding(
    "the messages of what is removed are known no more, and new ones are",
    async (addition) => ({ ...addition, removed: [] }),
  ),
  "forgets the messages that come after a removal": adding(
    "the messages of what is removed are known no more, and new ones are",
    async (addition) => ({
      ...addition,
      messages: addition.messages.filter(({ tag }) => !addition.removed.includes(tag)),
    }),
  ),
  "has tags in the order of a dictionary": breaks(
    "live heads are listed in the order of their tags' bytes, page by page",
    (own) => ({
      heads: async ({ only, after, limit }) => {
        const all = (await own.heads({ only, after: null, limit: 1000 })).toSorted((a, b) =>
          a.tag.localeCompare(b.tag, "en"),
        );
        const first = all.findIndex(({ tag }) => tag === after) + 1;
        return all.slice(first, first + limit);
      },
    }),
  ),
  "takes streams of one outbox for those of the other": breaks(
    "streams are as far as they were told, each of its outbox, until they are closed",
    (own) => ({ streams: (_outbox, page) => own.streams("records", page) }),
  ),
  "closes a stream when it has ended": adding(
    "streams are as far as they were told, each of its outbox, until they are closed",
    async (addition) => ({
      ...addition,
      streams: addition.streams.filter(({ ended }) => !ended),
      closed: [...addition.closed, ...addition.streams.filter(({ ended }) => ended)],
    }),
  ),
  "leaves a stream out at each page": breaks(
    "pages of every size have each stream of an outbox once, in the order of their ids",
    (own) => ({
      streams: async (outbox, page) => {
        const rows = await own.streams(outbox, { ...page, limit: page.limit + 1 });
        return page.after === null ? rows.slice(0, page.limit) : rows.slice(1);
      },
    }),
  ),
  "keeps the heads of another history": (() => {
    const heads = new Map<AddressTag, AddressHead>();
    return breaks("with another history what was known of addresses and streams goes, and the entries stay", (own) => ({
      integrate: (base, addition, lease) => {
        for (const { tag, version, state, entry } of addition.heads) heads.set(tag, { version, state, entry });
        return own.integrate(base, addition, lease);
      },
      latest: async (queries) =>
        (await own.latest(queries)).map((one, index) => ({ ...one, head: heads.get(queries[index]!.tag) ?? one.head })),
    }));
  })(),
  "finds what is about the first person": breaks(
    "entries are found by everything that is asked at once, either way round",
    (own) => ({
      find: ({ people, ...query }, page) => own.find({ ...query, ...(people && { people: people.slice(0, 1) }) }, page),
    }),
  ),
  "finds an entry for each of its people": breaks(
    "entries are found by everything that is asked at once, either way round",
    (own) => ({
      find: async ({ people = [], ...query }, page) =>
        people.length === 0
          ? own.find(query, page)
          : (await Promise.all(people.map((key) => own.find({ ...query, people: [key] }, page)))).flat(),
    }),
  ),
  "finds what is of the last moment too": breaks(
    "entries are found by everything that is asked at once, either way round",
    (own) => ({
      find: (query, page) =>
        own.find(query.until === undefined ? query : { ...query, until: query.until.replace("000Z", "001Z") }, page),
    }),
  ),
  "finds principals whatever their case": breaks(
    "entries are found by everything that is asked at once, either way round",
    (own) => ({
      find: (query, page) =>
        own.find(query.principal === undefined ? query : { ...query, principal: query.principal.toLowerCase() }, page),
    }),
  ),
  "leaves an entry out at each page of the newest": breaks(
    "pages of every size have each entry once, either way round, and end",
    (own) => ({
      find: (query, page) =>
        own.find(query, page.order === "newest" && page.after !== null ? { ...page, after: page.after - 1 } : page),
    }),
  ),
  "takes a pattern for what it matches": breaks(
    "texts that look like something else are found as what they are",
    (own) => ({
      find: ({ principal, ...query }, page) =>
        own.find(principal === undefined || principal === "%" ? query : { ...query, principal }, page),
    }),
  ),
  "fails on what no text is": breaks(
    "what is asked for that cannot be is absent or refused, and the log is as it was",
    (own) => ({
      find: async (query, page) => {
        if (query.principal?.includes("\0") === true) throw new TypeError("no text");
        return own.find(query, page);
      },
    }),
  ),
  "tells keys behind the one that is asked from, and that one": breaks(
    "keys of entries are told each once, in their order, as long as a text names them",
    (own) => ({
      namedKeys: async ({ after, limit }) =>
        (await own.namedKeys({ after: null, limit: 99 })).filter((key) => key >= (after ?? "")).slice(0, limit),
    }),
  ),
  "forgets leaves with their texts": breaks(
    "the texts of what is over go, and whom it was about; their leaves stay",
    (own) => ({
      entries: async (range) =>
        (await own.entries(range)).map((row) => (row.text === null ? { ...row, leaf: Buffer.alloc(32) } : row)),
    }),
  ),
  "forgets what is to be kept": breaks(
    "positions are told of what has its text, is over and is not to be kept",
    (own) => ({ forgettable: (request) => own.forgettable({ ...request, keep: [] }) }),
  ),
  "tells all that is over": breaks(
    "as many positions are told as are asked for, the first first, from where they are asked for",
    (own) => ({ forgettable: (request) => own.forgettable({ ...request, limit: 1000 }) }),
  ),
  "tells what is over from the beginning": breaks(
    "as many positions are told as are asked for, the first first, from where they are asked for",
    (own) => ({ forgettable: (request) => own.forgettable({ ...request, from: 0 }) }),
  ),
  "forgets all from the first to the last": breaks(
    "the texts of what is over go, and whom it was about; their leaves stay",
    (own) => ({
      forget: (ranges) => {
        const [first, last] = [ranges[0], ranges.at(-1)];
        return own.forget(first && last ? [{ from: first.from, to: last.to }] : []);
      },
    }),
  ),
  "forgets what is within the log": breaks(
    "ranges that are none, or reach beyond the log, are refused, and nothing goes",
    (own) => ({
      forget: async (ranges) => {
        const { size } = await own.state();
        return own.forget(ranges.map(({ from, to }) => ({ from, to: Math.min(to, size) })));
      },
    }),
  ),
  "has forgotten what it was told last": (() => {
    let told: number | null = null;
    return breaks("what was forgotten only grows, also when something is added that knows less", (own) => ({
      integrate: (base, addition, lease) => {
        told = addition.entries.length === 1 ? addition.state.forgotten : null;
        return own.integrate(base, addition, lease);
      },
      state: async () => {
        const now = await own.state();
        return told === null ? now : { ...now, forgotten: told };
      },
    }));
  })(),
  "takes leaves of any length": adding(
    "what no addition is is refused, and nothing of it is made",
    async (addition) => ({
      ...addition,
      entries: addition.entries.map((entry) => ({ ...entry, leaf: Buffer.alloc(32) })),
    }),
  ),
  "keeps what its caller's buffers hold a moment later": adding(
    "what a caller does to an addition after the call changes nothing that is added",
    async (addition) => {
      await turn();
      return addition;
    },
  ),
  "answers when it is closed": breaks("a log that is closed says so, however often it is closed", () => ({
    ping: async () => undefined,
  })),
  "is another one for each that opens it": breaks(
    "a new store has its name, no key set, and rules that this program knows",
    ({ gate }) => {
      const vault = crypto.randomUUID();
      return { gate: { ...gate, current: async () => ({ ...(await gate.current()), vault }) } };
    },
  ),
  "belongs to whoever came last": (() => {
    let last: string | null = null;
    return breaks("the first peer that is noted is the peer, for good, whoever asks later", ({ gate }) => ({
      gate: {
        ...gate,
        bind: async (peer) => {
          last = peer;
          return peer;
        },
        current: async () => ({ ...(await gate.current()), peer: last }),
      },
    }));
  })(),
};
