// The account link and the log-out button in the header.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";
import { client, unwrap } from "@/api/client";
import { Icon } from "@/components/icons";
import { ProblemNote } from "@/components/problem-note";
import { leaveSession, useSession } from "@/session/use-session";

export function AccountMenu() {
  const { data: account } = useSession();
  const logOut = useLogOut();

  if (account === undefined) return null;
  if (account === null) {
    return (
      <Link to="/login" className="button button-quiet">
        Log in
      </Link>
    );
  }
  return (
    <>
      <Link to="/account" className="button button-quiet" title={account.email}>
        <Icon name="person" />
        <span className="visually-hidden">Account: </span>
        <span className="account-name">{account.name || account.email}</span>
      </Link>
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

function useLogOut() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(client.DELETE("/api/session")),
    onSuccess: () => leaveSession(queryClient),
  });
}
