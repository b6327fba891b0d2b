// The page of the emailed link that sets a new password.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";
import { client, unwrap } from "@/api/client";
import { problemOf } from "@/api/problem";
import { CallForm } from "@/components/call-form";
import { NewPasswordField } from "@/components/new-password-field";
import { PageTitle } from "@/components/page-title";
import { leaveSession } from "@/session/use-session";
import { AuthFrame } from "./auth-frame";
import { useLinkToken } from "./use-link-token";

export default function ResetPasswordPage() {
  const token = useLinkToken();
  const queryClient = useQueryClient();
  const reset = useMutation({
    mutationFn: (password: string) =>
      unwrap(client.POST("/api/accounts/password-reset/confirm", { body: { token, password } })),
    onSuccess: async () => {
      // The server ended every session. This deletes the cookies and the cached data of this browser.
      await client.DELETE("/api/session").catch(() => null);
      leaveSession(queryClient);
    },
  });
  const { code, fields } = problemOf(reset.error);

  if (reset.isSuccess) {
    return (
      <AuthFrame>
        <PageTitle title="Password changed" replacesContent />
        <p>All devices are logged out. Log in again.</p>
        <Link to="/login" className="button button-primary">
          Log in
        </Link>
      </AuthFrame>
    );
  }
  if (!token || code === "invalid_token") {
    return (
      <AuthFrame>
        <PageTitle title="This link is no longer valid" replacesContent={token !== ""} />
        <p>It was used or has expired.</p>
        <Link to="/forgot-password" className="button button-primary">
          Request a new link
        </Link>
      </AuthFrame>
    );
  }
  return (
    <AuthFrame>
      <PageTitle title="Choose a new password" />
      <CallForm
        submitLabel="Change password"
        isPending={reset.isPending}
        error={reset.error}
        onSubmit={(form) => reset.mutate(String(form.get("password")))}
      >
        <NewPasswordField name="password" label="New password" error={fields.password} />
      </CallForm>
    </AuthFrame>
  );
}
