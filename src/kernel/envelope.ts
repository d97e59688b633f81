/**
 * A secured credential as a JSON-LD object (VC Data Model 2.0, section 4.13).
 * @param mediaType without `application/`, for example `dc+sd-jwt`.
 */
export const enveloped = (mediaType: string, compact: string) => ({
  '@context': 'https://www.w3.org/ns/credentials/v2',
  id: `data:application/${mediaType},${compact}`,
  type: 'EnvelopedVerifiableCredential',
})
