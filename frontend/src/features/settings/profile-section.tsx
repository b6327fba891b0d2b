// The name, and whether the user gets an email when a job is done.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "@/api/client";
import { problemOf } from "@/api/problem";
import type { Account } from "@/api/types";
import { CallForm } from "@/components/call-form";
import { TextField } from "@/components/text-field";
import { useConfig } from "@/config/use-config";
import { SESSION_KEY } from "@/session/use-session";
import { AccountSection } from "./account-section";

export function ProfileSection({ account }: { account: Account }) {
  const queryClient = useQueryClient();
  const save = useMutation({
    mutationFn: (body: { name: string; mail_when_finished: boolean }) =>
      unwrap(client.PATCH("/api/accounts/me", { body })),
    onSuccess: (saved) => queryClient.setQueryData(SESSION_KEY, saved),
  });

  return (
    <AccountSection title="Profile">
      <CallForm
        submitLabel="Save"
        isPending={save.isPending}
        error={save.error}
        onSubmit={(form) =>
          save.mutate({
            name: String(form.get("name")).trim(),
            mail_when_finished: form.has("mail_when_finished"),
          })
        }
      >
        <TextField
          label="Your name"
          name="name"
          autoComplete="name"
          required
          maxLength={useConfig().accounts.name_max_length}
          defaultValue={account.name}
          error={problemOf(save.error).fields.name}
        />
        <label className="choice choice-plain">
          <input
            type="checkbox"
            name="mail_when_finished"
            defaultChecked={account.mail_when_finished}
          />
          <span>
            <strong>Email me when a job is done</strong>
            <small>
              {account.email_verified
                ? "You don't need to wait here."
                : "Starts when your email is confirmed."}
            </small>
          </span>
        </label>
      </CallForm>
      <p className="done" role="status">
        {save.isSuccess && "Saved."}
      </p>
    </AccountSection>
  );
}
