// The page that signed-in users start on: the jobs, below the notice of an unconfirmed email address.
import { JobsPage } from "@/features/jobs/jobs-page";
import { VerificationNotice } from "@/features/settings/verification-notice";

export default function HomePage() {
  return <JobsPage notice={<VerificationNotice />} />;
}
