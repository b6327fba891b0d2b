// Starts the application in the page.
import "@/styles/index.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Providers } from "@/app/providers";
import { AppRoutes, preloadHomePage } from "@/app/router";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

preloadHomePage();
createRoot(root).render(
  <StrictMode>
    <Providers>
      <AppRoutes />
    </Providers>
  </StrictMode>,
);
