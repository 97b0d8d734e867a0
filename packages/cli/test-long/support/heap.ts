// For tests: what a process keeps in memory when its garbage is gone, asked of it through the inspector (Chrome
// DevTools Protocol).
import { once } from "node:events";
import { z } from "zod";

/** Arguments of Node.js with which a process can be asked. */
export const INSPECTED: readonly string[] = ["--inspect=127.0.0.1:0"];

const answerSchema = z.object({
  id: z.number(),
  result: z.object({ result: z.object({ value: z.unknown() }).optional() }),
});
const memorySchema = z.object({ heapUsed: z.number(), external: z.number(), rss: z.number() });

/** Megabytes: of the heap and of what it holds outside, and of the whole process. */
export interface Memory {
  readonly kept: number;
  readonly resident: number;
}

/** Collects garbage in the process that said where its inspector listens, and asks what is left. */
export async function memoryOf(said: string): Promise<Memory> {
  const url = /Debugger listening on (ws:\S+)/.exec(said)?.[1];
  if (url === undefined) throw new Error("the process was not started to be inspected");
  const socket = new WebSocket(url);
  await once(socket, "open");
  try {
    for (let round = 0; round < 3; round++) await ask(socket, "HeapProfiler.collectGarbage", {});
    const { result } = await ask(socket, "Runtime.evaluate", {
      expression: "process.memoryUsage()",
      returnByValue: true,
    });
    const { heapUsed, external, rss } = memorySchema.parse(result?.value);
    return { kept: (heapUsed + external) / 1e6, resident: rss / 1e6 };
  } finally {
    socket.close();
  }
}

let asked = 0;

async function ask(socket: WebSocket, method: string, params: object): Promise<z.infer<typeof answerSchema>["result"]> {
  const id = ++asked;
  socket.send(JSON.stringify({ id, method, params }));
  for (;;) {
    const [event] = (await once(socket, "message")) as [MessageEvent];
    const parsed = answerSchema.safeParse(JSON.parse(String(event.data)));
    if (parsed.success && parsed.data.id === id) return parsed.data.result;
  }
}
