// Lets signed-in people through and sends everyone else to log in first.
import { Navigate, Outlet, useLocation } from "react-router";
import { Loading } from "@/components/loading";
import { ProblemNote } from "@/components/problem-note";
import { loginPath } from "@/session/next-path";
import { useSession } from "@/session/use-session";

export function RequireSession() {
  const session = useSession();
  const { pathname, search } = useLocation();

  if (session.data) return <Outlet />;
  if (session.data === null) return <Navigate to={loginPath(pathname + search)} replace />;
  if (session.isPending) return <Loading label="Opening your studio …" />;
  return (
    <div className="centred">
      <h1>Slipway can't be opened right now</h1>
      <ProblemNote error={session.error} />
      <button type="button" className="button" onClick={() => session.refetch()}>
        Try again
      </button>
    </div>
  );
}
