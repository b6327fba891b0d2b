// Everything a page may expect around it: the query cache, the router, and the end of the session.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { BrowserRouter } from "react-router";
import { mayPass } from "@/api/problem";
import { onSessionEnd } from "@/api/renew-session";
import { configQuery } from "@/config/use-config";
import { leaveSession } from "@/session/use-session";

export function Providers({ children }: { children: ReactNode }) {
  const [queryClient] = useState(createQueryClient);

  useEffect(() => onSessionEnd(() => leaveSession(queryClient)), [queryClient]);

  return (
    <QueryClientProvider client={queryClient}>
      <BrowserRouter basename={import.meta.env.BASE_URL}>{children}</BrowserRouter>
    </QueryClientProvider>
  );
}

function createQueryClient(): QueryClient {
  const queryClient = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        retry: (failures, error) => failures < 2 && mayPass(error),
      },
    },
  });
  // Every page waits for it, so it is requested before the first render.
  queryClient.prefetchQuery(configQuery);
  return queryClient;
}
