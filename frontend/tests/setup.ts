// Starts a fake backend for each test file, and sets the page to its origin.
import { cleanup, configure } from "@testing-library/react";
import { afterAll, afterEach, beforeEach } from "vitest";
import { TIMEOUT } from "./eventually";
import { backend } from "./fake-backend";
import { FakeEventSource } from "./fake-event-source";
import { config } from "./samples";

declare const jsdom: { reconfigure: (options: { url: string }) => void };

configure({ asyncUtilTimeout: TIMEOUT });
jsdom.reconfigure({ url: await backend.start() });

// jsdom does not implement these.
Object.assign(globalThis, { EventSource: FakeEventSource });
HTMLDialogElement.prototype.showModal = function showModal() {
  this.open = true;
};
HTMLDialogElement.prototype.close = function close(value = "") {
  this.open = false;
  this.returnValue = value;
  this.dispatchEvent(new Event("close"));
};

beforeEach(() => {
  backend.on("GET /api/config", () => ({ status: 200, body: config }));
});
afterEach(() => {
  cleanup();
  backend.reset();
  FakeEventSource.reset();
});
afterAll(() => backend.stop());
