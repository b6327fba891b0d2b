// The page where users log in.
import { Link, useLocation } from "react-router";
import { problemOf } from "@/api/problem";
import { TextField } from "@/components/text-field";
import { useConfig } from "@/config/use-config";
import { AuthForm } from "./auth-form";
import { GoogleProblem } from "./google-problem";
import { useLogIn } from "./use-log-in";

export default function LogInPage() {
  const logIn = useLogIn();
  const { password_max_length } = useConfig().accounts;
  const { fields } = problemOf(logIn.error);
  const problem = new URLSearchParams(useLocation().search).get("error");

  return (
    <AuthForm
      title="Log in"
      submitLabel="Log in"
      isPending={logIn.isPending}
      error={logIn.error}
      onSubmit={(form) =>
        logIn.mutate({ email: String(form.get("email")), password: String(form.get("password")) })
      }
      notice={problem && <GoogleProblem code={problem} />}
      other={{ question: "New here?", label: "Sign up", path: "/signup" }}
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
        maxLength={password_max_length}
        error={fields.password}
      />
      <Link className="aside-link" to="/forgot-password">
        Forgot your password?
      </Link>
    </AuthForm>
  );
}
