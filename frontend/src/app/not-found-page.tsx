// Shown for an address that has no page.
import { Link } from "react-router";
import { PageTitle } from "@/components/page-title";

export default function NotFoundPage() {
  return (
    <div className="centred">
      <p className="eyebrow">404</p>
      <PageTitle title="This page isn't here" />
      <p>The address may be old, or have a typing error in it.</p>
      <Link to="/jobs" className="button button-primary">
        Go to your files
      </Link>
    </div>
  );
}
