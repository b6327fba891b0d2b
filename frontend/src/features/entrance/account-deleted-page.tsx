// Shown once after an account was deleted.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { Link, Navigate, useLocation } from "react-router";
import { PageTitle } from "@/components/page-title";
import { SESSION_KEY } from "@/session/use-session";

export default function AccountDeletedPage() {
  const queryClient = useQueryClient();
  const isDeleted = useLocation().state?.isDeleted === true;

  // Checks the session on the server, because this page can be opened again later.
  useEffect(() => {
    if (isDeleted) queryClient.invalidateQueries({ queryKey: SESSION_KEY });
  }, [queryClient, isDeleted]);

  if (!isDeleted) return <Navigate to="/jobs" replace />;
  return (
    <div className="centred">
      <PageTitle title="Account deleted" />
      <p>Your files and results are deleted too.</p>
      <Link to="/signup" className="button">
        Sign up again
      </Link>
    </div>
  );
}
