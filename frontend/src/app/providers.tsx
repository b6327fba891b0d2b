// Provides the query cache and the router, and clears the session when it ends.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { BrowserRouter } from "react-router";
import { isTemporary } from "@/api/problem";
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
        retry: (failures, error) => failures < 2 && isTemporary(error),
      },
    },
  });
  // Every page needs the configuration, so it is requested before the first render.
  queryClient.prefetchQuery(configQuery);
  return queryClient;
}
