// The frame around every page: skip link, header, content, footer.
import "./layout.css";
import { Suspense } from "react";
import { Outlet, useLocation } from "react-router";
import { ErrorBoundary } from "@/components/error-boundary";
import { Loading } from "@/components/loading";
import { PageLink } from "@/components/page-link";
import { AccountMenu } from "./account-menu";
import { ThemeToggle } from "./theme-toggle";
import { VersionNote } from "./version-note";

export function Layout() {
  return (
    <>
      <a className="skip-link" href="#content">
        Skip to the content
      </a>
      <header className="header">
        <PageLink to="/jobs" className="wordmark">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path d="M3 8.500 29 15.500l-3.400 4.600a5 5 0 0 1-5.300 1.800L8 18.600a5 5 0 0 1-3.400-3z" />
            <path d="m2 22 27 7.200" />
          </svg>
          Slipway
        </PageLink>
        <div className="header-actions">
          <ThemeToggle />
          <AccountMenu />
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        <Suspense fallback={<Loading label="Opening the page …" />}>
          {/* The key keeps a page that broke from taking the others with it. */}
          <ErrorBoundary key={useLocation().pathname}>
            <Outlet />
          </ErrorBoundary>
        </Suspense>
      </main>
      <footer className="footer">
        <VersionNote />
      </footer>
    </>
  );
}
