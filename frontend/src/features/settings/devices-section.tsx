// The logged-in devices, each with a button to log it out.
import { useRef } from "react";
import type { Device } from "@/api/types";
import { describeDay, describeMoment } from "@/components/describe";
import { Loading } from "@/components/loading";
import { ProblemNote } from "@/components/problem-note";
import { AccountSection } from "./account-section";
import { nameDevice } from "./device-name";
import { useDevices, useEndSession } from "./use-devices";

export function DevicesSection() {
  const heading = useRef<HTMLHeadingElement>(null);
  const devices = useDevices();
  const end = useEndSession();

  return (
    <AccountSection title="Devices" heading={heading}>
      <p>
        You are logged in on these. Log out each device that isn't yours, then change the password.
      </p>
      {devices.isPending && <Loading label="Loading your devices …" />}
      {devices.error && <ProblemNote error={devices.error} />}
      <ul className="rows">
        {devices.data?.map((device) => (
          <li key={device.id} className="row">
            <DeviceRow
              device={device}
              isBusy={end.isPending}
              onEnd={() => end.mutate(device.id, { onSuccess: () => heading.current?.focus() })}
            />
          </li>
        ))}
      </ul>
      {end.error && <ProblemNote error={end.error} />}
    </AccountSection>
  );
}

interface DeviceRowProps {
  device: Device;
  isBusy: boolean;
  onEnd: () => void;
}

function DeviceRow({ device, isBusy, onEnd }: DeviceRowProps) {
  const name = nameDevice(device.device);
  return (
    <>
      <div className="row-text">
        <strong title={device.device ?? undefined}>{name}</strong>
        <small>
          {device.address && `${device.address} · `}
          since {describeDay(device.created_at)} · last seen{" "}
          <time dateTime={device.last_seen_at}>{describeMoment(device.last_seen_at)}</time>
        </small>
      </div>
      {device.current ? (
        <span className="badge badge-completed">This device</span>
      ) : (
        <button type="button" className="button button-small" disabled={isBusy} onClick={onEnd}>
          Log out<span className="visually-hidden"> of {name}</span>
        </button>
      )}
    </>
  );
}
