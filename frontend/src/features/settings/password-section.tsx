// Changes the password, or sets the first password of users who signed up with Google.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "@/api/client";
import type { Account } from "@/api/types";
import { CallForm } from "@/components/call-form";
import { NewPasswordField } from "@/components/new-password-field";
import { SESSION_KEY } from "@/session/use-session";
import { AccountSection } from "./account-section";
import { PasswordField, UsernameHint } from "./password-field";
import { splitProblem } from "./password-problem";
import { DEVICES_KEY } from "./use-devices";

export function PasswordSection({ account }: { account: Account }) {
  const queryClient = useQueryClient();
  const change = useMutation({
    mutationFn: (body: { current_password: string | null; new_password: string }) =>
      unwrap(client.POST("/api/accounts/me/password", { body })),
    onSuccess: () => {
      queryClient.invalidateQueries({ queryKey: SESSION_KEY });
      queryClient.invalidateQueries({ queryKey: DEVICES_KEY });
    },
  });
  const { note, fields } = splitProblem(change.error, "current_password");

  return (
    <AccountSection title="Password">
      {!account.has_password && <p>You log in with Google. Set a password to log in without it.</p>}
      <CallForm
        submitLabel={account.has_password ? "Change password" : "Set password"}
        isPending={change.isPending}
        error={note}
        onSubmit={(form, element) =>
          change.mutate(
            {
              current_password: form.get("current_password") as string | null,
              new_password: String(form.get("new_password")),
            },
            { onSuccess: () => element.reset() },
          )
        }
      >
        {account.has_password ? (
          <PasswordField
            label="Current password"
            name="current_password"
            email={account.email}
            error={fields.current_password}
          />
        ) : (
          <UsernameHint email={account.email} />
        )}
        <NewPasswordField label="New password" name="new_password" error={fields.new_password} />
      </CallForm>
      <p className="done" role="status">
        {change.isSuccess && "Password changed. All other devices are logged out."}
      </p>
    </AccountSection>
  );
}
