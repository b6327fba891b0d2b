// A form that sends one request at a time. Shows its error above the button and focuses the invalid field.
import { type FormEvent, type ReactNode, useEffect, useRef } from "react";
import { ProblemNote } from "./problem-note";

interface CallFormProps {
  submitLabel: string;
  isPending: boolean;
  error: unknown;
  onSubmit: (fields: FormData, form: HTMLFormElement) => void;
  children?: ReactNode;
}

export function CallForm({ submitLabel, isPending, error, onSubmit, children }: CallFormProps) {
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    if (!isPending) form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [isPending]);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (!isPending) onSubmit(new FormData(event.currentTarget), event.currentTarget);
  }

  return (
    <form ref={form} onSubmit={submit}>
      {children}
      {error !== null && <ProblemNote error={error} />}
      <button type="submit" className="button button-primary" aria-disabled={isPending}>
        {isPending ? "Please wait …" : submitLabel}
      </button>
    </form>
  );
}
