// Retries a check until it passes, also with fake timers.
import { vi } from "vitest";

// Long, so that tests do not fail on a busy machine.
export const TIMEOUT = 8_000;

export function eventually<T>(check: () => T): Promise<T> {
  return vi.waitFor(check, { timeout: TIMEOUT, interval: 20 });
}
