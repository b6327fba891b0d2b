// Shows whether the email is confirmed, and changes it.
import { useMutation } from "@tanstack/react-query";
import { client, unwrap } from "@/api/client";
import type { Account } from "@/api/types";
import { CallForm } from "@/components/call-form";
import { TextField } from "@/components/text-field";
import { AccountSection } from "./account-section";
import { PasswordField } from "./password-field";
import { splitProblem } from "./password-problem";
import { ResendVerification } from "./resend-verification";

export function EmailSection({ account }: { account: Account }) {
  const change = useMutation({
    mutationFn: (body: { email: string; password: string | null }) =>
      unwrap(client.POST("/api/accounts/me/email", { body })),
  });
  const { note, fields } = splitProblem(change.error);

  return (
    <AccountSection title="Email address">
      <p className="account-fact">
        <strong>{account.email}</strong>{" "}
        {account.email_verified ? (
          <span className="badge badge-completed">Confirmed</span>
        ) : (
          <span className="badge badge-queued">Not confirmed yet</span>
        )}
      </p>
      {!account.email_verified && (
        <>
          <p>Open the link we sent you to confirm it.</p>
          <ResendVerification />
        </>
      )}
      <CallForm
        submitLabel="Change email"
        isPending={change.isPending}
        error={note}
        onSubmit={(form, element) =>
          change.mutate(
            { email: String(form.get("email")), password: form.get("password") as string | null },
            { onSuccess: () => element.reset() },
          )
        }
      >
        <TextField
          label="New email address"
          name="email"
          type="email"
          autoComplete="email"
          required
          hint="We send a link there. Your email changes when you open it."
          error={fields.email}
        />
        {account.has_password && (
          <PasswordField
            label="Your password"
            name="password"
            email={account.email}
            error={fields.password}
          />
        )}
      </CallForm>
      <p className="done" role="status">
        {change.isSuccess && `We sent a link to ${change.variables.email}.`}
      </p>
    </AccountSection>
  );
}
