// The page that requests a password reset. The response never shows whether the account exists.

import { useMutation } from "@tanstack/react-query";
import { Link } from "react-router";
import { client, unwrap } from "@/api/client";
import { problemOf } from "@/api/problem";
import { CallForm } from "@/components/call-form";
import { PageTitle } from "@/components/page-title";
import { TextField } from "@/components/text-field";
import { AuthFrame } from "./auth-frame";

export default function ForgotPasswordPage() {
  const request = useMutation({
    mutationFn: (email: string) =>
      unwrap(client.POST("/api/accounts/password-reset", { body: { email } })),
  });

  return (
    <AuthFrame>
      {request.isSuccess ? (
        <>
          <PageTitle key="sent" title="Check your inbox" replacesContent />
          <p>
            If there is an account for <strong>{request.variables}</strong>, we sent a link to set a
            new password. If it doesn't arrive, check your spam folder.
          </p>
        </>
      ) : (
        <>
          <PageTitle key="request" title="Forgot your password?" />
          <p>Enter your email. We will send you a link to set a new password.</p>
          <CallForm
            submitLabel="Send link"
            isPending={request.isPending}
            error={request.error}
            onSubmit={(form) => request.mutate(String(form.get("email")))}
          >
            <TextField
              label="Email address"
              name="email"
              type="email"
              autoComplete="username"
              required
              error={problemOf(request.error).fields.email}
            />
          </CallForm>
        </>
      )}
      <p className="auth-other">
        <Link to="/login">Back to log in</Link>
      </p>
    </AuthFrame>
  );
}
