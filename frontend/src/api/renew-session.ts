// Renews the session after a 401 response, and notifies listeners when the session has ended.
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
  if (response.status !== 401 || isSessionRequest(request)) return response;
  // Another request may have renewed the session in the meantime.
  const renewed = renewals > renewalsBefore || (await renewSession());
  return renewed ? fetch(repeat) : response;
}

// True when renewed, false when the session has ended. Throws on any other response.
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

// A refresh token works once. If two tabs send the same token, the backend treats it as stolen.
async function oneTabAtATime(renew: () => Promise<boolean>): Promise<boolean> {
  return navigator.locks ? navigator.locks.request("session-renewal", renew) : renew();
}

function isSessionRequest(request: Request): boolean {
  return new URL(request.url).pathname === "/api/session";
}
