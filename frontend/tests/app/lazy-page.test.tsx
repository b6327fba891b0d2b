// Preloading of pages.
import { render, screen } from "@testing-library/react";
import { Suspense } from "react";
import { expect, test, vi } from "vitest";
import { lazyPage } from "@/app/lazy-page";

const module = { default: () => <h1>The page</h1> };

function show({ Page }: ReturnType<typeof lazyPage>) {
  render(
    <Suspense fallback="Loading">
      <Page />
    </Suspense>,
  );
}

test("a preloaded page is shown without a fallback", async () => {
  const page = lazyPage(() => Promise.resolve(module));
  await page.preload();
  show(page);
  expect(screen.getByRole("heading", { name: "The page" })).toBeTruthy();
});

test("a page that is not preloaded is loaded when it is shown", async () => {
  show(lazyPage(() => Promise.resolve(module)));
  expect(screen.getByText("Loading")).toBeTruthy();
  await screen.findByRole("heading", { name: "The page" });
});

test("a page that failed to preload is loaded again when it is shown", async () => {
  const load = vi.fn(() => Promise.resolve(module));
  load.mockRejectedValueOnce(new TypeError("Failed to fetch"));
  const page = lazyPage(load);
  await expect(page.preload()).rejects.toThrow("Failed to fetch");
  show(page);
  await screen.findByRole("heading", { name: "The page" });
});
