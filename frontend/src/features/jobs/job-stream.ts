// Keeps one event stream open, through lost connections and renewed sessions.
import { apiUrl } from "@/api/origin";
import { renewSession } from "@/api/renew-session";

export interface StreamHandlers {
  onEvent: (name: "job" | "job-deleted", data: string) => void;
  onOpen: () => void;
  onLost: () => void;
}

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 10_000;

export function openJobStream(handlers: StreamHandlers): () => void {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout>;
  let failures = 0;
  let wanted = true;

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
      // The browser reconnects by itself after a lost connection, and gives up after a refusal such as 401.
      if (source.readyState === EventSource.CLOSED) {
        timer = setTimeout(reconnect, pauseAfter(failures));
        failures += 1;
      }
    });
  }

  async function reconnect() {
    const mayTry = await renewSession().catch(() => "unknown");
    if (wanted && mayTry) connect();
  }

  connect();
  return () => {
    wanted = false;
    clearTimeout(timer);
    source.close();
  };
}

// The jitter keeps browsers from reconnecting in the same second after a deployment.
function pauseAfter(failures: number): number {
  const pause = Math.min(FIRST_PAUSE * 2 ** failures, LONGEST_PAUSE);
  return pause * (0.5 + Math.random() / 2);
}
