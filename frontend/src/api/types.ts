// Short names for the shapes the API answers with.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Account = Schemas["AccountOut"];
export type Job = Schemas["JobOut"];
export type JobPage = Schemas["JobPage"];
export type JobStatus = Job["status"];
export type Recipe = Job["recipe"];
export type Result = Job["results"][number];
