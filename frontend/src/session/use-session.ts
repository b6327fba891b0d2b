// The logged-in account, and the cleanup when it changes.
import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "@/api/client";
import { problemOf } from "@/api/problem";
import type { Account } from "@/api/types";

export const SESSION_KEY = ["session"];

// data is the account, null when logged out, undefined while loading.
export function useSession() {
  const queryClient = useQueryClient();
  return useQuery({ queryKey: SESSION_KEY, queryFn: () => readSession(queryClient) });
}

export function enterSession(queryClient: QueryClient, account: Account): void {
  removePrivateData(queryClient);
  queryClient.setQueryData(SESSION_KEY, account);
}

export function leaveSession(queryClient: QueryClient): void {
  removePrivateData(queryClient);
  queryClient.setQueryData(SESSION_KEY, null);
}

async function readSession(queryClient: QueryClient): Promise<Account | null> {
  try {
    const account = await unwrap(client.GET("/api/accounts/me"));
    const before = queryClient.getQueryData<Account>(SESSION_KEY);
    // Another tab may have logged in with another account.
    if (before && before.id !== account.id) removePrivateData(queryClient);
    return account;
  } catch (error) {
    if (problemOf(error).status === 401) return null;
    throw error;
  }
}

// The cache must not show one user's data to the next user. Queries with public data set meta.isPublic.
function removePrivateData(queryClient: QueryClient): void {
  queryClient.removeQueries({
    predicate: ({ queryKey, meta }) => queryKey[0] !== SESSION_KEY[0] && !meta?.isPublic,
  });
}
