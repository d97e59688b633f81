/**
 * Whether a text can be an Entity Identifier (OpenID Federation 1.0, section 1.2): an https URL with a host, and no query or
 * fragment. Those of `httpOrigins` may be http: a demonstration's own.
 */
export const isEntityId = (value: unknown, httpOrigins: readonly string[] = []): value is string => {
  if (typeof value !== 'string' || value.length > 2_048 || !URL.canParse(value)) return false
  const { protocol, origin, username, password, host } = new URL(value)
  if (host === '' || username !== '' || password !== '' || /[?#\s]/.test(value)) return false
  return protocol === 'https:' || (protocol === 'http:' && httpOrigins.includes(origin))
}

/** Section 9: where an entity publishes its configuration. */
export const configurationUrl = (entityId: string): string =>
  `${entityId.replace(/\/$/, '')}/.well-known/openid-federation`
