/** Purposes of certificates in extendedKeyUsage (ISO/IEC 18013-5, annex B). */
export const documentSignerUsage = '1.0.18013.5.1.2'
export const readerAuthenticationUsage = '1.0.18013.5.1.6'
/** Purposes of those who ask, serve or call (RFC 5280, section 4.2.1.12): none of them issues anything. */
export const partyUsages = [readerAuthenticationUsage, '1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']
