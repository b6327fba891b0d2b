// Shown for an unknown URL.
import { Link } from "react-router";
import { PageTitle } from "@/components/page-title";

export default function NotFoundPage() {
  return (
    <div className="centred">
      <p className="eyebrow">404</p>
      <PageTitle title="Page not found" />
      <p>The link may be old or misspelled.</p>
      <Link to="/jobs" className="button button-primary">
        Go to your files
      </Link>
    </div>
  );
}
