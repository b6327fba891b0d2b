// The field for the password that somebody has, with the account it belongs to for password managers.
import { TextField } from "@/components/text-field";

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
        maxLength={128}
      />
    </>
  );
}

// Without it a password manager does not know which of the stored passwords is meant.
export function UsernameHint({ email }: { email: string }) {
  return <input type="text" value={email} autoComplete="username" readOnly hidden />;
}
