// Which address shows which page. Every page is a chunk of its own.
import { lazy } from "react";
import { Navigate, useRoutes } from "react-router";
import { Layout } from "./layout";
import { NotFoundPage } from "./not-found-page";
import { RequireConfig } from "./require-config";
import { RequireSession } from "./require-session";

const loadHomePage = () => import("./home-page");
const loadLogInPage = () => import("@/features/entrance/login-page");

const HomePage = lazy(loadHomePage);
const LogInPage = lazy(loadLogInPage);
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
      {
        element: <RequireConfig />,
        children: [
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
              { path: "/jobs", element: <HomePage /> },
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

// Most visits start on one of these two pages. They load in parallel with the configuration and the session.
export function preloadFirstPages(): void {
  for (const load of [loadHomePage, loadLogInPage]) {
    // A page that fails to load here is requested again when it is shown.
    load().catch(() => {});
  }
}
