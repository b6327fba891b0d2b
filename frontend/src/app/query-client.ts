// The rules every query follows: when to try again, and how long an answer is fresh.
import { QueryClient } from "@tanstack/react-query";
import { mayPass } from "@/api/problem";

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        retry: (failures, error) => failures < 2 && mayPass(error),
      },
    },
  });
}
