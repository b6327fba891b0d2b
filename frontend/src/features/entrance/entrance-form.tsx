// What the log-in and the sign-up page share. Users who are signed in already are redirected.
import type { ReactNode } from "react";
import { Link, Navigate, useLocation } from "react-router";
import { CallForm } from "@/components/call-form";
import { PageTitle } from "@/components/page-title";
import { nextPath, nextQuery } from "@/session/next-path";
import { useSession } from "@/session/use-session";
import { EntranceFrame } from "./entrance-frame";
import { GoogleLink } from "./google-link";

interface EntranceFormProps {
  title: string;
  submitLabel: string;
  isPending: boolean;
  error: unknown;
  onSubmit: (form: FormData) => void;
  notice?: ReactNode;
  other: { question: string; label: string; path: string };
  children: ReactNode;
}

export function EntranceForm({ title, notice, other, children, ...form }: EntranceFormProps) {
  const { data: account } = useSession();
  const next = nextPath(useLocation().search);
  if (account) return <Navigate to={next} replace />;

  return (
    <EntranceFrame>
      <PageTitle title={title} />
      {notice}
      <CallForm {...form}>{children}</CallForm>
      {account === null && <GoogleLink next={next} />}
      <p className="entrance-other">
        {other.question} <Link to={other.path + nextQuery(next)}>{other.label}</Link>
      </p>
    </EntranceFrame>
  );
}
