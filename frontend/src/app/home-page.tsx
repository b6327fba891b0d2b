// The start page of logged-in users: a notice while the email is not confirmed, then the jobs.
import { JobsPage } from "@/features/jobs/jobs-page";
import { VerificationNotice } from "@/features/settings/verification-notice";

export default function HomePage() {
  return <JobsPage notice={<VerificationNotice />} />;
}
