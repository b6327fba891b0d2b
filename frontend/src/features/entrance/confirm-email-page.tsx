// The page of the emailed link that confirms an email. It waits for a click, because mail scanners open links too.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";
import { client, unwrap } from "@/api/client";
import { problemOf } from "@/api/problem";
import { CallForm } from "@/components/call-form";
import { PageTitle } from "@/components/page-title";
import { loginPath } from "@/session/next-path";
import { SESSION_KEY, useSession } from "@/session/use-session";
import { AuthFrame } from "./auth-frame";
import { useLinkToken } from "./use-link-token";

export default function ConfirmEmailPage() {
  const token = useLinkToken();
  const queryClient = useQueryClient();
  const confirm = useMutation({
    mutationFn: () => unwrap(client.POST("/api/accounts/verify", { body: { token } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: SESSION_KEY }),
  });

  if (confirm.isSuccess) {
    return (
      <AuthFrame>
        <PageTitle title="Email confirmed" replacesContent />
        <p>Thank you.</p>
        <NextLink to="/jobs" label="Go to your files" />
      </AuthFrame>
    );
  }
  if (!token || problemOf(confirm.error).code === "invalid_token") {
    return (
      <AuthFrame>
        <PageTitle title="This link is no longer valid" replacesContent={token !== ""} />
        <p>It was used or has expired. Your account page shows if your email is confirmed.</p>
        <NextLink to="/account" label="Go to your account" />
      </AuthFrame>
    );
  }
  return (
    <AuthFrame>
      <PageTitle title="Confirm your email" />
      <p>Click to confirm that this email is yours.</p>
      <CallForm
        submitLabel="Confirm email"
        isPending={confirm.isPending}
        error={confirm.error}
        onSubmit={() => confirm.mutate()}
      />
    </AuthFrame>
  );
}

function NextLink({ to, label }: { to: string; label: string }) {
  const { data: account } = useSession();
  return (
    <Link to={account ? to : loginPath(to)} className="button button-primary">
      {account ? label : "Log in"}
    </Link>
  );
}
