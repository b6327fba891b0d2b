// Which address shows which page. The pages that few visits need are loaded when they are asked for.
import { lazy } from "react";
import { Navigate, useRoutes } from "react-router";
import { LogInPage } from "@/features/entrance/login-page";
import { JobsPage } from "@/features/jobs/jobs-page";
import { VerificationNotice } from "@/features/settings/verification-notice";
import { Layout } from "./layout";
import { NotFoundPage } from "./not-found-page";
import { RequireSession } from "./require-session";

const AccountPage = lazy(() => import("@/features/settings/account-page"));
const ConfirmAddressPage = lazy(() => import("@/features/entrance/confirm-address-page"));
const FarewellPage = lazy(() => import("@/features/entrance/farewell-page"));
const ForgotPasswordPage = lazy(() => import("@/features/entrance/forgot-password-page"));
const ResetPasswordPage = lazy(() => import("@/features/entrance/reset-password-page"));
const SignUpPage = lazy(() => import("@/features/entrance/signup-page"));

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
