// Confirms the deletion of an account with its password, or with its email when it has no password.
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useEffect, useId, useRef } from "react";
import { useNavigate } from "react-router";
import { client, unwrap } from "@/api/client";
import { ApiError } from "@/api/problem";
import type { Account } from "@/api/types";
import { ProblemNote } from "@/components/problem-note";
import { TextField } from "@/components/text-field";
import { PasswordField } from "./password-field";
import { splitProblem } from "./password-problem";

export function DeleteDialog({ account, onClose }: { account: Account; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: (proof: string) => deleteAccount(account, proof),
    onSuccess: () => navigate("/farewell", { replace: true, state: { isDeleted: true } }),
  });
  const { note, fields } = splitProblem(remove.error, "proof");

  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);

  useEffect(() => {
    if (remove.error) dialog.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [remove.error]);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const proof = new FormData(event.currentTarget).get("proof");
    if (!remove.isPending) remove.mutate(String(proof));
  }

  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      onCancel={(event) => remove.isPending && event.preventDefault()}
      onClose={onClose}
    >
      <form className="dialog-form" onSubmit={submit}>
        <div>
          <h2 id={titleId}>Delete your account?</h2>
          <p>This deletes all your files and results now. It can't be undone.</p>
        </div>
        <ProofField account={account} error={fields.proof} />
        {note !== null && <ProblemNote error={note} />}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Keep it
          </button>
          <button type="submit" className="button button-danger" aria-disabled={remove.isPending}>
            {remove.isPending ? "Please wait …" : "Delete everything"}
          </button>
        </div>
      </form>
    </dialog>
  );
}

function ProofField({ account, error }: { account: Account; error: string | undefined }) {
  if (account.has_password) {
    return <PasswordField label="Your password" name="proof" email={account.email} error={error} />;
  }
  return (
    <TextField
      label="Your email address"
      name="proof"
      type="email"
      autoComplete="off"
      required
      hint={`Type ${account.email} to confirm.`}
      error={error}
    />
  );
}

async function deleteAccount(account: Account, proof: string): Promise<void> {
  if (!account.has_password && proof.trim().toLowerCase() !== account.email) {
    throw new ApiError({ code: "wrong_password", detail: "The email does not match." });
  }
  const password = account.has_password ? proof : null;
  await unwrap(client.DELETE("/api/accounts/me", { body: { password } }));
}
