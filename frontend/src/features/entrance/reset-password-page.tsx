// Where the mailed link leads that lets somebody choose a new password.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "@/api/client";
import { problemOf } from "@/api/problem";
import { CallForm } from "@/components/call-form";
import { NewPasswordField } from "@/components/new-password-field";
import { PageLink } from "@/components/page-link";
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
      // The server ended every session; this drops what a browser that was signed in still holds of its own.
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
        <PageLink to="/login" className="button button-primary">
          Log in
        </PageLink>
      </EntranceFrame>
    );
  }
  if (!token || code === "invalid_token") {
    return (
      <EntranceFrame>
        <PageTitle title="This link doesn't work any more" isNews={token !== ""} />
        <p>It was used already, or it is too old.</p>
        <PageLink to="/forgot-password" className="button button-primary">
          Ask for a new link
        </PageLink>
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
