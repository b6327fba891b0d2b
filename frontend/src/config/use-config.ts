// Loads the configuration from the server: the name, the limits, and the schema of a recipe.
import { queryOptions, useQuery } from "@tanstack/react-query";
import { client, unwrap } from "@/api/client";
import type { Config } from "@/api/types";

export const configQuery = queryOptions({
  queryKey: ["config"],
  queryFn: () => unwrap(client.GET("/api/config")),
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: Number.POSITIVE_INFINITY,
  meta: { isPublic: true },
});

// Works on every page below RequireConfig, which waits until the configuration is loaded.
export function useConfig(): Config {
  const { data } = useQuery(configQuery);
  if (!data) throw new Error("useConfig was called outside RequireConfig");
  return data;
}
