// The corner of the header that says who is signed in and lets them out.
import { PageLink } from "@/components/page-link";
import { ProblemNote } from "@/components/problem-note";
import { useLogOut, useSession } from "./use-session";

export function AccountMenu() {
  const { data: account } = useSession();
  const logOut = useLogOut();

  if (account === undefined) return null;
  if (account === null) {
    return (
      <PageLink to="/login" className="button button-quiet">
        Log in
      </PageLink>
    );
  }
  return (
    <>
      <span className="account-name" title={account.email}>
        {account.name || account.email}
      </span>
      <button
        type="button"
        className="button button-quiet"
        disabled={logOut.isPending}
        onClick={() => logOut.mutate()}
      >
        Log out
      </button>
      {logOut.error && <ProblemNote error={logOut.error} />}
    </>
  );
}
