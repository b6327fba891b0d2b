// Shows the pages once the configuration is loaded.
import { useQuery } from "@tanstack/react-query";
import { Outlet } from "react-router";
import { Loading } from "@/components/loading";
import { configQuery } from "@/config/use-config";
import { Unavailable } from "./unavailable";

export function RequireConfig() {
  const config = useQuery(configQuery);

  if (config.data) return <Outlet />;
  if (config.isPending) return <Loading label="Loading …" />;
  return <Unavailable error={config.error} onRetry={config.refetch} />;
}
