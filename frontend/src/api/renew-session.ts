// Keeps the session alive: renews it once when a response is a 401, and reports when it has ended.
import { apiUrl } from "./origin";
import { problemFromBody } from "./problem";

type Listener = () => void;

const listeners = new Set<Listener>();
let running: Promise<boolean> | null = null;
let renewals = 0;

export function onSessionEnd(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export async function fetchWithSession(request: Request): Promise<Response> {
  const repeat = request.clone();
  const renewalsBefore = renewals;
  const response = await fetch(request);
  if (response.status !== 401 || isAboutTheSession(request)) return response;
  // Another call may have renewed the session while this one was on its way.
  const renewed = renewals > renewalsBefore || (await renewSession());
  return renewed ? fetch(repeat) : response;
}

// True when renewed, false when the session has ended; throws when the server could not say.
export function renewSession(): Promise<boolean> {
  running ??= oneTabAtATime(requestRenewal).finally(() => {
    running = null;
  });
  return running;
}

async function requestRenewal(): Promise<boolean> {
  const response = await fetch(apiUrl("/api/session/refresh"), {
    method: "POST",
    credentials: "include",
  });
  if (response.ok) {
    renewals += 1;
    return true;
  }
  if (response.status !== 401) {
    throw problemFromBody(response.status, await response.json().catch(() => null));
  }
  for (const listener of listeners) listener();
  return false;
}

// A refresh token works once: two tabs that send the same one look like a thief to the backend.
async function oneTabAtATime(work: () => Promise<boolean>): Promise<boolean> {
  return navigator.locks ? navigator.locks.request("session-renewal", work) : work();
}

function isAboutTheSession(request: Request): boolean {
  return new URL(request.url).pathname === "/api/session";
}
