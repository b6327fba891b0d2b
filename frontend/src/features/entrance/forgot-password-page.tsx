// The page to request a password reset. The response never says whether the account exists.

import { useMutation } from "@tanstack/react-query";
import { Link } from "react-router";
import { client, unwrap } from "@/api/client";
import { problemOf } from "@/api/problem";
import { CallForm } from "@/components/call-form";
import { PageTitle } from "@/components/page-title";
import { TextField } from "@/components/text-field";
import { EntranceFrame } from "./entrance-frame";

export default function ForgotPasswordPage() {
  const ask = useMutation({
    mutationFn: (email: string) =>
      unwrap(client.POST("/api/accounts/password-reset", { body: { email } })),
  });

  return (
    <EntranceFrame>
      {ask.isSuccess ? (
        <>
          <PageTitle key="sent" title="Check your inbox" isNews />
          <p>
            If an account has the address <strong>{ask.variables}</strong>, a link to a new password
            is on its way there. If it isn't there in a minute, check the spam folder.
          </p>
        </>
      ) : (
        <>
          <PageTitle key="ask" title="Forgot your password?" />
          <p>Enter your address, and we will send a link to a new password there.</p>
          <CallForm
            submitLabel="Send the link"
            isPending={ask.isPending}
            error={ask.error}
            onSubmit={(form) => ask.mutate(String(form.get("email")))}
          >
            <TextField
              label="Email address"
              name="email"
              type="email"
              autoComplete="username"
              required
              error={problemOf(ask.error).fields.email}
            />
          </CallForm>
        </>
      )}
      <p className="entrance-other">
        <Link to="/login">Back to log in</Link>
      </p>
    </EntranceFrame>
  );
}
