import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import { createEntityConfiguration, createEntityStatement } from '@openid-federation/core'
import { type Entity, signWith } from './world.ts'

/** What @openid-federation/core wants to be given. */

/** The library wants to be told how to verify. */
export const verifyJwtCallback = async ({
  jwk,
  data,
  signature,
}: {
  jwk: unknown
  data: Uint8Array
  signature: Uint8Array
}) =>
  verify(
    'sha256',
    data,
    { key: createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
    signature,
  )

/** What the library writes in place of what the entity would sign. */
export const writtenByLibrary = async (entity: Entity): Promise<void> => {
  const signJwtCallback = async ({ toBeSigned }: { toBeSigned: Uint8Array }) => signWith(entity.key, toBeSigned)
  const { kid, alg } = entity.key
  const header = { typ: 'entity-statement+jwt' as const, kid, alg }
  const configuration = await createEntityConfiguration({
    ...{ header, signJwtCallback },
    claims: entity.configuration as never,
  })
  entity.served.set('.well-known/openid-federation', { body: configuration })
  for (const [subject, claims] of entity.about) {
    const statement = await createEntityStatement({
      ...{ header, signJwtCallback, claims: claims as never },
      jwk: entity.key.jwk as never,
    })
    entity.served.set(`fetch ${subject}`, { body: statement })
  }
}
