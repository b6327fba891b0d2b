// The button that resends the confirmation email.
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
        {resend.isPending ? "Please wait …" : "Resend link"}
      </button>
      <p className="done" role="status">
        {resend.isSuccess && "Sent. If it doesn't arrive, check your spam folder."}
      </p>
      {resend.error && <ProblemNote error={resend.error} />}
    </>
  );
}
