import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { minutes } from "../base/units.ts";
import { certificateText, expiryWarnings, type Certificate } from "./certificate.ts";

/** How often somebody who renews nothing is told. */
export const CERTIFICATE_EVERY = minutes(12 * 60);

export interface CertificateWatch {
  /** A generation has begun with this one. */
  served(certificate: Certificate | undefined): void;
  /** Says so when its end is near. */
  look(): void;
}

/** Tells the log which certificate is served, and when it has to be renewed. */
export function watchCertificate(log: Logger, clock: Clock): CertificateWatch {
  let current: Certificate | undefined;
  return {
    served(certificate) {
      if (certificate === undefined || certificate === current) return;
      if (certificate.fingerprint !== current?.fingerprint) {
        const { names, validToDate: validTo, fingerprint } = certificate;
        log.info({ names, validTo, fingerprint }, certificateText(certificate, new Date(clock.wall())));
      }
      for (const warning of certificate.warnings) log.warn(warning);
      current = certificate;
    },
    look() {
      if (current === undefined) return;
      for (const warning of expiryWarnings(current, new Date(clock.wall()), current.file)) log.warn(warning);
    },
  };
}
