// Who is signed in, and the ways in and out.
import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "@/api/client";
import { problemOf } from "@/api/problem";
import type { Account } from "@/api/types";
import { PROVIDERS_KEY } from "./google-link";

export const SESSION_KEY = ["session"];

export interface Credentials {
  email: string;
  password: string;
}

// data is the account, null when nobody is signed in, undefined while that is unknown.
export function useSession() {
  const queryClient = useQueryClient();
  return useQuery({ queryKey: SESSION_KEY, queryFn: () => readSession(queryClient) });
}

export function useLogIn() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: logIn,
    onSuccess: (account) => enterSession(queryClient, account),
  });
}

export function useSignUp() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (body: Credentials & { name: string }) => {
      await unwrap(client.POST("/api/accounts", { body }));
      return logIn({ email: body.email, password: body.password });
    },
    onSuccess: (account) => enterSession(queryClient, account),
  });
}

export function useLogOut() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(client.DELETE("/api/session")),
    onSuccess: () => leaveSession(queryClient),
  });
}

export function leaveSession(queryClient: QueryClient): void {
  forgetEverything(queryClient);
  queryClient.setQueryData(SESSION_KEY, null);
}

function enterSession(queryClient: QueryClient, account: Account): void {
  forgetEverything(queryClient);
  queryClient.setQueryData(SESSION_KEY, account);
}

function logIn(body: Credentials): Promise<Account> {
  return unwrap(client.POST("/api/session", { body }));
}

async function readSession(queryClient: QueryClient): Promise<Account | null> {
  try {
    const account = await unwrap(client.GET("/api/accounts/me"));
    const before = queryClient.getQueryData<Account>(SESSION_KEY);
    // Another tab may have logged in as somebody else.
    if (before && before.id !== account.id) forgetEverything(queryClient);
    return account;
  } catch (error) {
    if (problemOf(error).status === 401) return null;
    throw error;
  }
}

// What one person saw must not be in the cache for the next; how to sign in is the same for everybody.
function forgetEverything(queryClient: QueryClient): void {
  const kept: unknown[] = [SESSION_KEY[0], PROVIDERS_KEY[0]];
  queryClient.removeQueries({ predicate: (query) => !kept.includes(query.queryKey[0]) });
}
