// The page of the mailed link that confirms an address. It waits for a click: mail scanners open links as well.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";
import { client, unwrap } from "@/api/client";
import { problemOf } from "@/api/problem";
import { CallForm } from "@/components/call-form";
import { PageTitle } from "@/components/page-title";
import { loginPath } from "@/session/next-path";
import { SESSION_KEY, useSession } from "@/session/use-session";
import { EntranceFrame } from "./entrance-frame";
import { useLinkToken } from "./use-link-token";

export default function ConfirmAddressPage() {
  const token = useLinkToken();
  const queryClient = useQueryClient();
  const confirm = useMutation({
    mutationFn: () => unwrap(client.POST("/api/accounts/verify", { body: { token } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: SESSION_KEY }),
  });

  if (confirm.isSuccess) {
    return (
      <EntranceFrame>
        <PageTitle title="Your address is confirmed" isNews />
        <p>Thank you. That was all.</p>
        <OnwardLink to="/jobs" label="Go to your files" />
      </EntranceFrame>
    );
  }
  if (!token || problemOf(confirm.error).code === "invalid_token") {
    return (
      <EntranceFrame>
        <PageTitle title="This link doesn't work any more" isNews={token !== ""} />
        <p>It was used already, or it is too old. Your account page shows what is confirmed.</p>
        <OnwardLink to="/account" label="Go to your account" />
      </EntranceFrame>
    );
  }
  return (
    <EntranceFrame>
      <PageTitle title="Confirm your email address" />
      <p>One click, and we know that this address is yours.</p>
      <CallForm
        submitLabel="Confirm address"
        isPending={confirm.isPending}
        error={confirm.error}
        onSubmit={() => confirm.mutate()}
      />
    </EntranceFrame>
  );
}

function OnwardLink({ to, label }: { to: string; label: string }) {
  const { data: account } = useSession();
  return (
    <Link to={account ? to : loginPath(to)} className="button button-primary">
      {account ? label : "Log in"}
    </Link>
  );
}
