// Shown once after an account was deleted.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { Link, Navigate, useLocation } from "react-router";
import { PageTitle } from "@/components/page-title";
import { SESSION_KEY } from "@/session/use-session";

export default function FarewellPage() {
  const queryClient = useQueryClient();
  const isDeleted = useLocation().state?.isDeleted === true;

  // The server decides whether the session has ended, also when this page is opened again later.
  useEffect(() => {
    if (isDeleted) queryClient.invalidateQueries({ queryKey: SESSION_KEY });
  }, [queryClient, isDeleted]);

  if (!isDeleted) return <Navigate to="/jobs" replace />;
  return (
    <div className="centred">
      <PageTitle title="Your account is deleted" />
      <p>Your files and everything made of them are deleted with it. Thank you for your time.</p>
      <Link to="/signup" className="button">
        Create a new account
      </Link>
    </div>
  );
}
