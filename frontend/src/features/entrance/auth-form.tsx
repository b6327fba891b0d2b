// The form of the log-in and the sign-up page. Redirects users who are logged in already.
import type { ReactNode } from "react";
import { Link, Navigate, useLocation } from "react-router";
import { CallForm } from "@/components/call-form";
import { PageTitle } from "@/components/page-title";
import { nextPath, nextQuery } from "@/session/next-path";
import { useSession } from "@/session/use-session";
import { AuthFrame } from "./auth-frame";
import { GoogleLink } from "./google-link";

interface AuthFormProps {
  title: string;
  submitLabel: string;
  isPending: boolean;
  error: unknown;
  onSubmit: (form: FormData) => void;
  notice?: ReactNode;
  other: { question: string; label: string; path: string };
  children: ReactNode;
}

export function AuthForm({ title, notice, other, children, ...form }: AuthFormProps) {
  const { data: account } = useSession();
  const next = nextPath(useLocation().search);
  if (account) return <Navigate to={next} replace />;

  return (
    <AuthFrame>
      <PageTitle title={title} />
      {notice}
      <CallForm {...form}>{children}</CallForm>
      {account === null && <GoogleLink next={next} />}
      <p className="auth-other">
        {other.question} <Link to={other.path + nextQuery(next)}>{other.label}</Link>
      </p>
    </AuthFrame>
  );
}
