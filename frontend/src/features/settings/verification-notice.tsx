// Asks for the click on the mailed link, for as long as the email address is not confirmed.
import { useSession } from "@/session/use-session";
import { ResendVerification } from "./resend-verification";

export function VerificationNotice() {
  const { data: account } = useSession();
  if (!account || account.email_verified) return null;
  return (
    <section className="note note-quiet" aria-label="Your email address">
      <p>
        Please confirm your email address with the link we sent to <strong>{account.email}</strong>.
      </p>
      <ResendVerification />
    </section>
  );
}
