/**
 * Ports of the loopback interface for servers of a test.
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";

const HOST = "127.0.0.1";
/** Below the ports that outgoing connections get, or one of those sits on it while the server is down. */
const PORTS = { from: 15_000, count: 15_000 };

/** One that nobody listens on now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * PORTS.count);
    const probe = createServer();
    const free = await new Promise<boolean>((resolve) => {
      probe.once("error", () => {
        resolve(false);
      });
      probe.listen(port, HOST, () => {
        resolve(true);
      });
    });
    await new Promise((resolve) => probe.close(resolve));
    if (free) return port;
  }
}

/** Whether somebody takes connections there. */
export async function answers(port: number): Promise<boolean> {
  const socket = connect(port, HOST);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
