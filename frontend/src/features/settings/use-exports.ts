// The query for the account's exports, and the mutation that requests a new one.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "@/api/client";
import type { Export } from "@/api/types";

const EXPORTS_KEY = ["exports"];
const POLL_EVERY_MS = 3_000;

export function useExports() {
  return useQuery({
    queryKey: EXPORTS_KEY,
    queryFn: async () => (await unwrap(client.GET("/api/accounts/me/exports"))).items,
    refetchInterval: ({ state }) => (hasPending(state.data) ? POLL_EVERY_MS : false),
  });
}

export function useRequestExport() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(client.POST("/api/accounts/me/exports")),
    onSuccess: (created) => {
      queryClient.setQueryData<Export[]>(EXPORTS_KEY, (known = []) => [
        created,
        ...known.filter(({ id }) => id !== created.id),
      ]);
    },
    // Another tab may have requested one already.
    onError: () => queryClient.invalidateQueries({ queryKey: EXPORTS_KEY }),
  });
}

export function hasPending(exports: Export[] | undefined): boolean {
  return exports?.some(({ status }) => status === "queued") ?? false;
}
