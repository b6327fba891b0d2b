// The page where people with an account log in.
import { useLocation } from "react-router";
import { problemOf } from "@/api/problem";
import { optional } from "@/components/optional";
import { PageLink } from "@/components/page-link";
import { TextField } from "@/components/text-field";
import { EntranceForm } from "./entrance-form";
import { useLogIn } from "./use-log-in";

const GoogleProblem = optional(() => import("./google-problem"));

export function LogInPage() {
  const logIn = useLogIn();
  const { fields } = problemOf(logIn.error);
  const problem = new URLSearchParams(useLocation().search).get("error");

  return (
    <EntranceForm
      title="Log in"
      submitLabel="Log in"
      isPending={logIn.isPending}
      error={logIn.error}
      onSubmit={(form) =>
        logIn.mutate({ email: String(form.get("email")), password: String(form.get("password")) })
      }
      notice={problem && <GoogleProblem code={problem} />}
      other={{ question: "New here?", label: "Create an account", path: "/signup" }}
    >
      <TextField
        label="Email address"
        name="email"
        type="email"
        autoComplete="username"
        required
        error={fields.email}
      />
      <TextField
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
        required
        maxLength={128}
        error={fields.password}
      />
      <PageLink className="aside-link" to="/forgot-password">
        Forgot your password?
      </PageLink>
    </EntranceForm>
  );
}
