// Waits for something to become true, also while a test holds the clock.
import { vi } from "vitest";

// Far beyond what it takes: a busy machine is no reason for a test to fail.
export const PATIENCE = 8_000;

export function eventually<T>(check: () => T): Promise<T> {
  return vi.waitFor(check, { timeout: PATIENCE, interval: 20 });
}
