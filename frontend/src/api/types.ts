// Short names for the shapes the API answers with.
import type { components, paths } from "./schema";

type Schemas = components["schemas"];

export type Account = Schemas["AccountOut"];
export type Device = Listed<"/api/sessions">;
export type Export = Listed<"/api/accounts/me/exports">;
export type Job = Schemas["JobOut"];
export type JobPage = Schemas["JobPage"];
export type JobStatus = Job["status"];
export type Recipe = Job["recipe"];
export type Result = Job["results"][number];

type Listed<Path extends "/api/sessions" | "/api/accounts/me/exports"> =
  paths[Path]["get"]["responses"][200]["content"]["application/json"]["items"][number];
