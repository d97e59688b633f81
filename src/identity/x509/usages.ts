/** Purposes of certificates in extendedKeyUsage (ISO/IEC 18013-5, annex B). */
export const documentSignerUsage = '1.0.18013.5.1.2'
export const readerAuthenticationUsage = '1.0.18013.5.1.6'
