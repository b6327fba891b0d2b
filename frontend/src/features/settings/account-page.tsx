// The account page: profile, email, password, devices, data and deletion.
import "./settings.css";
import { PageTitle } from "@/components/page-title";
import { useSession } from "@/session/use-session";
import { DataSection } from "./data-section";
import { DeleteSection } from "./delete-section";
import { DevicesSection } from "./devices-section";
import { EmailSection } from "./email-section";
import { PasswordSection } from "./password-section";
import { ProfileSection } from "./profile-section";

export default function AccountPage() {
  const { data: account } = useSession();
  if (!account) return null;
  return (
    <div className="account">
      <PageTitle title="Your account" />
      <ProfileSection account={account} />
      <EmailSection account={account} />
      <PasswordSection account={account} />
      <DevicesSection />
      <DataSection />
      <DeleteSection account={account} />
    </div>
  );
}
