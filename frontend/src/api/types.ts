// Short names for the types of API requests and responses.
import type { components, paths } from "./schema";

type Schemas = components["schemas"];

export type Account = Schemas["AccountOut"];
export type Config = paths["/api/config"]["get"]["responses"][200]["content"]["application/json"];
export type Device = Listed<"/api/sessions">;
export type Facts = Job["original"]["facts"];
export type Export = Listed<"/api/accounts/me/exports">;
export type Job = Schemas["JobOut"];
export type JobPage = Schemas["JobPage"];
export type JobStatus = Job["status"];
export type Recipe = Job["recipe"];
export type RecipeSchema = Config["recipe"];
export type Result = Job["results"][number];

type Listed<Path extends "/api/sessions" | "/api/accounts/me/exports"> =
  paths[Path]["get"]["responses"][200]["content"]["application/json"]["items"][number];
