// Asks for the click that confirms an email address.
import { ResendVerification } from "./resend-verification";

export default function UnverifiedNote({ email }: { email: string }) {
  return (
    <section className="note note-quiet" aria-label="Your email address">
      <p>
        Please confirm your email address with the link we sent to <strong>{email}</strong>.
      </p>
      <ResendVerification />
    </section>
  );
}
