// The page where users sign up. It logs the new user in.
import { problemOf } from "@/api/problem";
import { NewPasswordField } from "@/components/new-password-field";
import { TextField } from "@/components/text-field";
import { useConfig } from "@/config/use-config";
import { AuthForm } from "./auth-form";
import { useSignUp } from "./use-log-in";

export default function SignUpPage() {
  const signUp = useSignUp();
  const { name_max_length } = useConfig().accounts;
  const { fields } = problemOf(signUp.error);

  return (
    <AuthForm
      title="Sign up"
      submitLabel="Sign up"
      isPending={signUp.isPending}
      error={signUp.error}
      onSubmit={(form) =>
        signUp.mutate({
          name: String(form.get("name")).trim(),
          email: String(form.get("email")),
          password: String(form.get("password")),
        })
      }
      other={{ question: "Have an account?", label: "Log in", path: "/login" }}
    >
      <TextField
        label="Your name"
        name="name"
        autoComplete="name"
        required
        maxLength={name_max_length}
        error={fields.name}
      />
      <TextField
        label="Email address"
        name="email"
        type="email"
        autoComplete="username"
        required
        error={fields.email}
      />
      <NewPasswordField label="Password" name="password" error={fields.password} />
    </AuthForm>
  );
}
