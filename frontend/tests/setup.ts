// Gives every test file a backend of its own on a real port, and the page the same origin.
import { cleanup, configure } from "@testing-library/react";
import { afterAll, afterEach, beforeEach } from "vitest";
import { PATIENCE } from "./eventually";
import { backend } from "./fake-backend";
import { FakeEventSource } from "./fake-event-source";
import { config } from "./samples";

declare const jsdom: { reconfigure: (options: { url: string }) => void };

configure({ asyncUtilTimeout: PATIENCE });
jsdom.reconfigure({ url: await backend.start() });

// What jsdom lacks.
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
