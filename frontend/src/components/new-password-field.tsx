// The field for choosing a new password.
import { useConfig } from "@/config/use-config";
import { TextField } from "./text-field";

interface NewPasswordFieldProps {
  label: string;
  name: string;
  error: string | undefined;
}

export function NewPasswordField(props: NewPasswordFieldProps) {
  const { password_min_length, password_max_length } = useConfig().accounts;
  return (
    <TextField
      {...props}
      type="password"
      autoComplete="new-password"
      required
      minLength={password_min_length}
      maxLength={password_max_length}
      hint={`At least ${password_min_length} characters.`}
    />
  );
}
