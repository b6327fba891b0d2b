// Shown until the user confirms the email address.
import { useSession } from "@/session/use-session";
import { ResendVerification } from "./resend-verification";

export function VerificationNotice() {
  const { data: account } = useSession();
  if (!account || account.email_verified) return null;
  return (
    <section className="note note-quiet" aria-label="Your email">
      <p>
        Please confirm your email with the link we sent to <strong>{account.email}</strong>.
      </p>
      <ResendVerification />
    </section>
  );
}
