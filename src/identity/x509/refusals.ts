import { Refusal } from '../../kernel/refusal.ts'

export const malformedCertificate = (detail: string, cause?: unknown): Refusal =>
  new Refusal('malformed', 'certificate_malformed', detail, { cause })

export const untrustedCertificate = (detail: string): Refusal =>
  new Refusal('rejected', 'certificate_untrusted', detail)

export const expiredCertificate = (detail: string): Refusal => new Refusal('rejected', 'certificate_expired', detail)
