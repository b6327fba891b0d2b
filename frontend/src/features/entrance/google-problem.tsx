// Shows why the log-in with Google failed, from the error code in the URL.

const MESSAGES: Record<string, string> = {
  google_denied: "Google sign-in was cancelled. You can try again.",
  google_failed: "Google could not log you in. Please try again.",
  google_unverified:
    "Google has not confirmed your email address, so it can't be used to log in here.",
  google_conflict:
    "An account with your email exists already. Log in with your password and confirm your email first.",
  registration_closed: "Sign-up is closed at the moment.",
  account_disabled: "This account is disabled. Please contact support.",
};

export function GoogleProblem({ code }: { code: string }) {
  const message = Object.hasOwn(MESSAGES, code) && MESSAGES[code];
  if (!message) return null;
  return (
    <div className="note note-bad" role="alert">
      <p>{message}</p>
    </div>
  );
}
