// Which address shows which page.
import { Navigate, useRoutes } from "react-router";
import { LogInPage } from "@/features/accounts/login-page";
import { SignUpPage } from "@/features/accounts/signup-page";
import { JobsPage } from "@/features/jobs/jobs-page";
import { Layout } from "./layout";
import { NotFoundPage } from "./not-found-page";
import { RequireSession } from "./require-session";

const ROUTES = [
  {
    element: <Layout />,
    children: [
      { path: "/", element: <Navigate to="/jobs" replace /> },
      { path: "/login", element: <LogInPage /> },
      { path: "/signup", element: <SignUpPage /> },
      { element: <RequireSession />, children: [{ path: "/jobs", element: <JobsPage /> }] },
      { path: "*", element: <NotFoundPage /> },
    ],
  },
];

export function AppRoutes() {
  return useRoutes(ROUTES);
}
