// The page of the mailed link for choosing a new password.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";
import { client, unwrap } from "@/api/client";
import { problemOf } from "@/api/problem";
import { CallForm } from "@/components/call-form";
import { NewPasswordField } from "@/components/new-password-field";
import { PageTitle } from "@/components/page-title";
import { leaveSession } from "@/session/use-session";
import { EntranceFrame } from "./entrance-frame";
import { useLinkToken } from "./use-link-token";

export default function ResetPasswordPage() {
  const token = useLinkToken();
  const queryClient = useQueryClient();
  const reset = useMutation({
    mutationFn: (password: string) =>
      unwrap(client.POST("/api/accounts/password-reset/confirm", { body: { token, password } })),
    onSuccess: async () => {
      // The server ended every session. This removes the cookies and the data that this browser still has.
      await client.DELETE("/api/session").catch(() => null);
      leaveSession(queryClient);
    },
  });
  const { code, fields } = problemOf(reset.error);

  if (reset.isSuccess) {
    return (
      <EntranceFrame>
        <PageTitle title="Your password is changed" isNews />
        <p>Every device was logged out. Log in with the new one.</p>
        <Link to="/login" className="button button-primary">
          Log in
        </Link>
      </EntranceFrame>
    );
  }
  if (!token || code === "invalid_token") {
    return (
      <EntranceFrame>
        <PageTitle title="This link doesn't work any more" isNews={token !== ""} />
        <p>It was used already, or it is too old.</p>
        <Link to="/forgot-password" className="button button-primary">
          Request a new link
        </Link>
      </EntranceFrame>
    );
  }
  return (
    <EntranceFrame>
      <PageTitle title="Choose a new password" />
      <CallForm
        submitLabel="Change password"
        isPending={reset.isPending}
        error={reset.error}
        onSubmit={(form) => reset.mutate(String(form.get("password")))}
      >
        <NewPasswordField name="password" label="New password" error={fields.password} />
      </CallForm>
    </EntranceFrame>
  );
}
