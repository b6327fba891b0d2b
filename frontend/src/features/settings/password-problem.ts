// Splits an error into field messages and a note above the button.
import { problemOf } from "@/api/problem";

interface SplitProblem {
  note: unknown;
  fields: Record<string, string>;
}

export function splitProblem(error: unknown, passwordField = "password"): SplitProblem {
  const { code, detail, fields } = problemOf(error);
  if (code !== "wrong_password") return { note: error, fields };
  return { note: null, fields: { [passwordField]: detail } };
}
