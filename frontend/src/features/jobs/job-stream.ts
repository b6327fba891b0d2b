// Keeps one event stream open. Reconnects after lost connections and expired sessions.
import { apiUrl } from "@/api/origin";
import { renewSession } from "@/api/renew-session";

export interface StreamHandlers {
  onEvent: (name: "job" | "job-deleted", data: string) => void;
  onOpen: () => void;
  onLost: () => void;
}

const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 10_000;

export function openJobStream(handlers: StreamHandlers): () => void {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout>;
  let failures = 0;
  let isActive = true;

  function connect() {
    source = new EventSource(apiUrl("/api/jobs/events"), { withCredentials: true });
    source.addEventListener("job", (event) => handlers.onEvent("job", event.data));
    source.addEventListener("job-deleted", (event) => handlers.onEvent("job-deleted", event.data));
    source.addEventListener("open", () => {
      failures = 0;
      handlers.onOpen();
    });
    source.addEventListener("error", () => {
      handlers.onLost();
      // The browser reconnects automatically after a lost connection, but not after a response such as 401.
      if (source.readyState === EventSource.CLOSED) {
        timer = setTimeout(reconnect, delayAfter(failures));
        failures += 1;
      }
    });
  }

  async function reconnect() {
    const mayReconnect = await renewSession().catch(() => "unknown");
    if (isActive && mayReconnect) connect();
  }

  connect();
  return () => {
    isActive = false;
    clearTimeout(timer);
    source.close();
  };
}

// The jitter spreads the reconnects of all browsers after a deployment.
function delayAfter(failures: number): number {
  const delay = Math.min(FIRST_DELAY_MS * 2 ** failures, MAX_DELAY_MS);
  return delay * (0.5 + Math.random() / 2);
}
