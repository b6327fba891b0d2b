// Tells which build is answering, so that a report can name it.
import { useQuery } from "@tanstack/react-query";
import { client, unwrap } from "@/api/client";

export function VersionNote() {
  const { data } = useQuery({
    queryKey: ["version"],
    queryFn: () => unwrap(client.GET("/api/version")),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return <p>{data ? `Slipway ${data.version} · ${data.git_sha.slice(0, 7)}` : "Slipway"}</p>;
}
