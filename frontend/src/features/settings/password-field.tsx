// The field for the current password, with a hidden username for password managers.
import { TextField } from "@/components/text-field";
import { useConfig } from "@/config/use-config";

interface PasswordFieldProps {
  email: string;
  label: string;
  name: string;
  error: string | undefined;
}

export function PasswordField({ email, ...input }: PasswordFieldProps) {
  return (
    <>
      <UsernameHint email={email} />
      <TextField
        {...input}
        type="password"
        autoComplete="current-password"
        required
        maxLength={useConfig().accounts.password_max_length}
      />
    </>
  );
}

// Without this field, password managers can't select the right stored password.
export function UsernameHint({ email }: { email: string }) {
  return <input type="text" value={email} autoComplete="username" readOnly hidden />;
}
