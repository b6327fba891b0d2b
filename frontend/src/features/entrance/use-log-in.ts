// The log-in and sign-up mutations. Sign-up also logs in.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "@/api/client";
import type { Account } from "@/api/types";
import { enterSession } from "@/session/use-session";

interface Credentials {
  email: string;
  password: string;
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

function logIn(body: Credentials): Promise<Account> {
  return unwrap(client.POST("/api/session", { body }));
}
