// Says why signing in with Google failed, from the code that the server put into the address.

const SENTENCES: Record<string, string> = {
  google_denied: "Google sign-in was cancelled. You can try again.",
  google_failed: "Google could not log you in. Please try again.",
  google_unverified:
    "Google has not confirmed your email address, so it can't be used to log in here.",
  google_conflict:
    "An account with your email address exists already. Log in with its password and confirm the address first.",
  registration_closed: "New accounts can't be created at the moment.",
  account_disabled: "This account is disabled. Please contact support.",
};

export function GoogleProblem({ code }: { code: string }) {
  const sentence = Object.hasOwn(SENTENCES, code) && SENTENCES[code];
  if (!sentence) return null;
  return (
    <div className="note note-bad" role="alert">
      <p>{sentence}</p>
    </div>
  );
}
