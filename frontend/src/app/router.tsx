// Which address shows which page. The pages that few visits need are loaded when they are asked for.
import { lazy } from "react";
import { Navigate, useRoutes } from "react-router";
import { LogInPage } from "@/features/accounts/login-page";
import { VerificationNotice } from "@/features/accounts/verification-notice";
import { JobsPage } from "@/features/jobs/jobs-page";
import { Layout } from "./layout";
import { NotFoundPage } from "./not-found-page";
import { RequireSession } from "./require-session";

const AccountPage = lazy(() => import("@/features/accounts/account-page"));
const ConfirmAddressPage = lazy(() => import("@/features/accounts/confirm-address-page"));
const FarewellPage = lazy(() => import("@/features/accounts/farewell-page"));
const ForgotPasswordPage = lazy(() => import("@/features/accounts/forgot-password-page"));
const ResetPasswordPage = lazy(() => import("@/features/accounts/reset-password-page"));
const SignUpPage = lazy(() => import("@/features/accounts/signup-page"));

const ROUTES = [
  {
    element: <Layout />,
    children: [
      { path: "/", element: <Navigate to="/jobs" replace /> },
      { path: "/login", element: <LogInPage /> },
      { path: "/signup", element: <SignUpPage /> },
      { path: "/forgot-password", element: <ForgotPasswordPage /> },
      { path: "/reset-password", element: <ResetPasswordPage /> },
      { path: "/verify", element: <ConfirmAddressPage /> },
      { path: "/confirm-email", element: <ConfirmAddressPage /> },
      { path: "/farewell", element: <FarewellPage /> },
      {
        element: <RequireSession />,
        children: [
          { path: "/jobs", element: <JobsPage notice={<VerificationNotice />} /> },
          { path: "/account", element: <AccountPage /> },
        ],
      },
      { path: "*", element: <NotFoundPage /> },
    ],
  },
];

export function AppRoutes() {
  return useRoutes(ROUTES);
}
