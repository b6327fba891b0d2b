// What the server says about this installation: its name, its limits, and the schema of a recipe.
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

// For every page and its parts: RequireConfig shows them once the configuration is loaded.
export function useConfig(): Config {
  const { data } = useQuery(configQuery);
  if (!data) throw new Error("useConfig was called outside of RequireConfig");
  return data;
}
