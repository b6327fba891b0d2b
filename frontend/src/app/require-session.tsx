// Shows pages to logged-in users and redirects everyone else to the log-in page.
import { Navigate, Outlet, useLocation } from "react-router";
import { Loading } from "@/components/loading";
import { loginPath } from "@/session/next-path";
import { useSession } from "@/session/use-session";
import { Unavailable } from "./unavailable";

export function RequireSession() {
  const session = useSession();
  const { pathname, search } = useLocation();

  if (session.data) return <Outlet />;
  if (session.data === null) return <Navigate to={loginPath(pathname + search)} replace />;
  if (session.isPending) return <Loading label="Loading …" />;
  return <Unavailable error={session.error} onRetry={session.refetch} />;
}
