// The routes. The log-in page is part of the first load, every other page is its own chunk.
import { lazy } from "react";
import { Navigate, useRoutes } from "react-router";
import LogInPage from "@/features/entrance/login-page";
import { Layout } from "./layout";
import { lazyPage } from "./lazy-page";
import { RequireConfig } from "./require-config";
import { RequireSession } from "./require-session";

const home = lazyPage(() => import("./home-page"));
const AccountPage = lazy(() => import("@/features/settings/account-page"));
const ConfirmEmailPage = lazy(() => import("@/features/entrance/confirm-email-page"));
const AccountDeletedPage = lazy(() => import("@/features/entrance/account-deleted-page"));
const ForgotPasswordPage = lazy(() => import("@/features/entrance/forgot-password-page"));
const NotFoundPage = lazy(() => import("./not-found-page"));
const ResetPasswordPage = lazy(() => import("@/features/entrance/reset-password-page"));
const SignUpPage = lazy(() => import("@/features/entrance/signup-page"));

const ROUTES = [
  {
    element: <Layout />,
    children: [
      { path: "/", element: <Navigate to="/jobs" replace /> },
      {
        element: <RequireConfig />,
        children: [
          { path: "/login", element: <LogInPage /> },
          { path: "/signup", element: <SignUpPage /> },
          { path: "/forgot-password", element: <ForgotPasswordPage /> },
          { path: "/reset-password", element: <ResetPasswordPage /> },
          { path: "/verify", element: <ConfirmEmailPage /> },
          { path: "/confirm-email", element: <ConfirmEmailPage /> },
          { path: "/farewell", element: <AccountDeletedPage /> },
          {
            element: <RequireSession />,
            children: [
              { path: "/jobs", element: <home.Page /> },
              { path: "/account", element: <AccountPage /> },
            ],
          },
          { path: "*", element: <NotFoundPage /> },
        ],
      },
    ],
  },
];

export function AppRoutes() {
  return useRoutes(ROUTES);
}

// Most visits open the home page, so it loads in parallel with the configuration and the session.
export function preloadHomePage(): void {
  // If this fails, the page is loaded again when it is shown.
  home.preload().catch(() => {});
}
