// Sends the mail that confirms an email address again.
import { useMutation } from "@tanstack/react-query";
import { client, unwrap } from "@/api/client";
import { ProblemNote } from "@/components/problem-note";

export function ResendVerification() {
  const resend = useMutation({
    mutationFn: () => unwrap(client.POST("/api/accounts/verify/resend")),
  });

  return (
    <>
      <button
        type="button"
        className="button button-small"
        aria-disabled={resend.isPending}
        onClick={() => resend.isPending || resend.mutate()}
      >
        {resend.isPending ? "One moment …" : "Send it again"}
      </button>
      <p className="done" role="status">
        {resend.isSuccess && "Sent. If it isn't there in a minute, check the spam folder."}
      </p>
      {resend.error && <ProblemNote error={resend.error} />}
    </>
  );
}
