// The link to log in with Google, shown when the server has it enabled.
import { useQuery } from "@tanstack/react-query";
import { client, unwrap } from "@/api/client";
import { apiUrl } from "@/api/origin";

export function GoogleLink({ next }: { next: string }) {
  const { data } = useQuery({
    queryKey: ["providers"],
    queryFn: () => unwrap(client.GET("/api/oauth/providers")),
    staleTime: Number.POSITIVE_INFINITY,
    meta: { isPublic: true },
  });

  if (!data?.google) return null;
  return (
    <a className="button" href={apiUrl(`/api/oauth/google/start?next=${encodeURIComponent(next)}`)}>
      Continue with Google
    </a>
  );
}
