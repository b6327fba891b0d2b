// The last page of an account that was deleted.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { Navigate, useLocation } from "react-router";
import { PageLink } from "@/components/page-link";
import { PageTitle } from "@/components/page-title";
import { SESSION_KEY } from "@/session/use-session";

export default function FarewellPage() {
  const queryClient = useQueryClient();
  const isDeleted = useLocation().state?.isDeleted === true;

  // Asking the server keeps this page honest, also when somebody comes back to it later.
  useEffect(() => {
    if (isDeleted) queryClient.invalidateQueries({ queryKey: SESSION_KEY });
  }, [queryClient, isDeleted]);

  if (!isDeleted) return <Navigate to="/jobs" replace />;
  return (
    <div className="centred">
      <PageTitle title="Your account is deleted" />
      <p>
        Your photos and everything made of them are going with it. Thank you for having been here.
      </p>
      <PageLink to="/signup" className="button">
        Create a new account
      </PageLink>
    </div>
  );
}
