// The layout of every page: skip link, header, content, footer.
import "./layout.css";
import { useQuery } from "@tanstack/react-query";
import { Suspense } from "react";
import { Link, Outlet, useLocation } from "react-router";
import { client, unwrap } from "@/api/client";
import { ErrorBoundary } from "@/components/error-boundary";
import { Loading } from "@/components/loading";
import { configQuery } from "@/config/use-config";
import { AccountMenu } from "./account-menu";
import { ThemeToggle } from "./theme-toggle";

export function Layout() {
  return (
    <>
      <a className="skip-link" href="#content">
        Skip to content
      </a>
      <header className="header">
        <Wordmark />
        <div className="header-actions">
          <ThemeToggle />
          <AccountMenu />
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        <Suspense fallback={<Loading label="Loading …" />}>
          {/* The key resets the boundary when the user opens another page. */}
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

function Wordmark() {
  const { data: config } = useQuery(configQuery);
  return (
    <Link to="/jobs" className="wordmark">
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <path d="M3 8.500 29 15.500l-3.400 4.600a5 5 0 0 1-5.300 1.800L8 18.600a5 5 0 0 1-3.400-3z" />
        <path d="m2 22 27 7.200" />
      </svg>
      {config?.app_name ?? <span className="visually-hidden">Home</span>}
    </Link>
  );
}

// Users copy the version into bug reports.
function VersionNote() {
  const { data: config } = useQuery(configQuery);
  const { data: version } = useQuery({
    queryKey: ["version"],
    queryFn: () => unwrap(client.GET("/api/version")),
    staleTime: Number.POSITIVE_INFINITY,
    meta: { isPublic: true },
  });
  const build = version && `${version.version} · ${version.git_sha.slice(0, 7)}`;
  // The space keeps the line height, so that the layout does not shift when the text loads.
  return <p>{[config?.app_name, build].filter(Boolean).join(" ") || "\u00a0"}</p>;
}
