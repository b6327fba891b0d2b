// The copies of one's data: asked for, made in the background, ready for a while.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "@/api/client";
import type { Export } from "@/api/types";

const EXPORTS_KEY = ["exports"];
const ASK_EVERY = 3_000;

export function useExports() {
  return useQuery({
    queryKey: EXPORTS_KEY,
    queryFn: async () => (await unwrap(client.GET("/api/accounts/me/exports"))).items,
    refetchInterval: ({ state }) => (isUnderWay(state.data) ? ASK_EVERY : false),
  });
}

export function useAskForExport() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(client.POST("/api/accounts/me/exports")),
    onSuccess: (made) => {
      queryClient.setQueryData<Export[]>(EXPORTS_KEY, (known = []) => [
        made,
        ...known.filter(({ id }) => id !== made.id),
      ]);
    },
    // One may be under way already, asked for in another tab.
    onError: () => queryClient.invalidateQueries({ queryKey: EXPORTS_KEY }),
  });
}

export function isUnderWay(exports: Export[] | undefined): boolean {
  return exports?.some(({ status }) => status === "queued") ?? false;
}
