// The query for logged-in devices, and the mutation that logs a device out.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "@/api/client";
import { problemOf } from "@/api/problem";

export const DEVICES_KEY = ["devices"];

export function useDevices() {
  return useQuery({
    queryKey: DEVICES_KEY,
    queryFn: async () => (await unwrap(client.GET("/api/sessions"))).items,
  });
}

export function useEndSession() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: endSession,
    onSuccess: () => queryClient.invalidateQueries({ queryKey: DEVICES_KEY }),
  });
}

async function endSession(id: string): Promise<void> {
  try {
    const params = { path: { session_id: id } };
    await unwrap(client.DELETE("/api/sessions/{session_id}", { params }));
  } catch (error) {
    // Already ended elsewhere: the result is the same.
    if (problemOf(error).status !== 404) throw error;
  }
}
