import { expect } from '@jest/globals'
import type { VerifiableCredential } from '@veramo/core-types'
import { CredentialProviderJWT } from '@veramo/credential-jwt'
import { ES256Signer } from 'did-jwt'
import {
  createVerifiableCredentialJwt,
  createVerifiablePresentationJwt,
  normalizeCredential,
  verifyCredential as theyVerify,
  verifyPresentation as theyVerifyPresentation,
} from 'did-jwt-vc'
import { evmStatusEntry } from '../../src/identity/formats/w3c.ts'
import { presentCredential, verifyPresentation } from '../../src/identity/present.ts'
import { verifyCredential } from '../../src/identity/verify.ts'
import { openVeramo, resolverOf } from '../identity/veramo.ts'
import { addressOf, audience, chain, openWorld, type Party, registry, type World } from '../identity/world.ts'
import type { Cells, Group } from './cells.ts'
import { challenge } from './ours.ts'

/** VC Data Model 1.1 as JWT, of types that are known here, with a status on chain. */

const contextV1 = 'https://www.w3.org/2018/credentials/v1'

const statusOf = (world: World) => ({ chain, registry, issuer: addressOf(world.transport), list: 0, index: 7 })

const theirIdentity = ({ did, kid, privateKey }: Party) => {
  const secret = Buffer.from(String(privateKey.export({ format: 'jwk' }).d), 'base64url')
  return { identity: { did, alg: 'ES256', signer: ES256Signer(secret) }, options: { header: { kid } as never } }
}

const foreignLicence = (world: World) => ({
  '@context': [contextV1],
  type: ['VerifiableCredential', 'DrivingLicence'],
  issuer: { id: world.transport.did },
  issuanceDate: new Date(world.clock.now()).toISOString(),
  credentialSubject: world.subjectOf('DrivingLicence'),
  credentialSchema: { id: 'urn:chancery:schema:driving-licence:1', type: 'JsonSchema' },
  credentialStatus: { id: 'urn:status:7', ...evmStatusEntry(statusOf(world)) } as never,
})

const weIssue = async (world: World) => world.issue({ format: 'jwt_vc' })

const wePresent = (world: World, compact: string): Promise<string> => {
  const to = { audience, challenge, claims: [] }
  return presentCredential({ compact, format: 'jwt_vc' }, to, world.holder, world.signer, world.clock.now())
}

const refusalHere = async (world: World, presentation: unknown, asked = challenge): Promise<string> => {
  const verdict = await verifyPresentation(presentation, world.verify, { challenge: asked, audience: [audience] })
  return verdict.verified ? 'verified' : (verdict.refusal?.code ?? 'not verified')
}

const judgedHere = async (world: World, credential: unknown): Promise<void> => {
  expect((await verifyCredential(credential, world.verify)).refusal).toBeUndefined()
  world.status.set(statusOf(world), 'revoked')
  expect((await verifyCredential(credential, world.verify)).refusal?.code).toBe('credential_revoked')
}

const presentedHere = async (world: World, presentation: unknown): Promise<void> => {
  expect(await refusalHere(world, presentation)).toBe('verified')
  expect(await refusalHere(world, presentation, 'another')).toBe('challenge_mismatch')
}

const forged = (token: string): string => token.replace(/\.[^.]+$/, `.${'A'.repeat(86)}`)

const didJwtVc = (): Cells => {
  const theyIssue = (world: World): Promise<string> => {
    const { identity, options } = theirIdentity(world.transport)
    return createVerifiableCredentialJwt(foreignLicence(world), identity, options)
  }
  const theyPresent = (world: World, compact: string): Promise<string> => {
    const presentation = {
      ...{ '@context': [contextV1], type: ['VerifiablePresentation'], holder: world.holder.did },
      verifiableCredential: [compact],
      issuanceDate: new Date(world.clock.now()).toISOString(),
      expirationDate: new Date(world.clock.now() + 60_000).toISOString(),
    }
    const options = { challenge, domain: audience }
    return createVerifiablePresentationJwt(presentation as never, theirIdentity(world.holder).identity, options)
  }
  const presentedThere = async (world: World, presentation: string): Promise<void> => {
    const asked = { challenge, domain: audience }
    const { verified } = await theyVerifyPresentation(presentation, resolverOf(world), asked)
    expect(verified).toBe(true)
    const other = theyVerifyPresentation(presentation, resolverOf(world), { ...asked, challenge: 'another' })
    await expect(other).rejects.toThrow('challenge')
  }
  return {
    'our issuer, their verifier': async () => {
      const world = openWorld()
      const { compact } = await weIssue(world)
      const { verified, verifiableCredential } = await theyVerify(compact, resolverOf(world))
      expect(verified).toBe(true)
      expect(verifiableCredential.credentialSubject).toEqual(world.subjectOf('DrivingLicence'))
      await expect(theyVerify(forged(compact), resolverOf(world))).rejects.toThrow()
    },
    'their issuer, our verifier': async () => {
      const world = openWorld()
      const compact = await theyIssue(world)
      expect((await verifyCredential(forged(compact), world.verify)).refusal?.code).toBe('signature_invalid')
      await judgedHere(world, compact)
    },
    'our issuer, their wallet': async () => {
      const world = openWorld()
      await presentedHere(world, await theyPresent(world, (await weIssue(world)).compact))
    },
    'their issuer, our wallet': async () => {
      const world = openWorld()
      const presentation = await wePresent(world, await theyIssue(world))
      await presentedThere(world, presentation)
      await presentedHere(world, presentation)
    },
    'our wallet, their verifier': async () => {
      const world = openWorld()
      await presentedThere(world, await wePresent(world, (await weIssue(world)).compact))
    },
    'their wallet, our verifier': async () => {
      const world = openWorld()
      await presentedHere(world, await theyPresent(world, await theyIssue(world)))
    },
  }
}

/** A stock agent, with a status method as its user would install one. */
const openStock = async () => {
  const world = openWorld()
  const status = {
    methods: {
      checkCredentialStatus: async () => ({ revoked: world.status.status(statusOf(world)) === 'revoked' }),
    },
  }
  const agent = await openVeramo(world, { providers: [new CredentialProviderJWT()], plugins: [status] })
  const theyIssue = (): Promise<VerifiableCredential> => {
    const { issuanceDate: _, ...credential } = foreignLicence(world)
    // By itself a stock agent names no key, and an agency has more than one.
    const { kid } = world.transport
    return agent.createVerifiableCredential({ credential, proofFormat: 'jwt', keyRef: kid, header: { kid } })
  }
  const theyPresent = async (credential: VerifiableCredential) => {
    const expirationDate = new Date(world.clock.now() + 60_000).toISOString()
    const presentation = { holder: world.holder.did, verifiableCredential: [credential], expirationDate }
    const options = { proofFormat: 'jwt', challenge, domain: audience, keyRef: world.holder.kid } as const
    return agent.createVerifiablePresentation({ presentation, ...options })
  }
  const presentedThere = async (presentation: string): Promise<void> => {
    const judged = (asked: string) => agent.verifyPresentation({ presentation, challenge: asked, domain: audience })
    expect((await judged(challenge)).verified).toBe(true)
    expect((await judged('another')).verified).toBe(false)
  }
  return { world, agent, theyIssue, theyPresent, presentedThere }
}

const jwtOf = (credential: VerifiableCredential): string => String(credential.proof['jwt'])

const veramo = (): Cells => ({
  'our issuer, their verifier': async () => {
    const { world, agent } = await openStock()
    const { compact } = await weIssue(world)
    const credential = normalizeCredential(compact) as VerifiableCredential
    expect((await agent.verifyCredential({ credential })).verified).toBe(true)
    world.status.set(statusOf(world), 'revoked')
    expect((await agent.verifyCredential({ credential })).verified).toBe(false)
  },
  'their issuer, our verifier': async () => {
    const { world, theyIssue } = await openStock()
    await judgedHere(world, await theyIssue())
  },
  'our issuer, their wallet': async () => {
    const { world, theyPresent } = await openStock()
    const credential = normalizeCredential((await weIssue(world)).compact) as VerifiableCredential
    await presentedHere(world, await theyPresent(credential))
  },
  'their issuer, our wallet': async () => {
    const { world, theyIssue, presentedThere } = await openStock()
    await presentedThere(await wePresent(world, jwtOf(await theyIssue())))
  },
  'our wallet, their verifier': async () => {
    const { world, presentedThere } = await openStock()
    await presentedThere(await wePresent(world, (await weIssue(world)).compact))
  },
  'their wallet, our verifier': async () => {
    const { world, theyIssue, theyPresent } = await openStock()
    await presentedHere(world, await theyPresent(await theyIssue()))
  },
})

const row = { format: '`jwt_vc`, ES256', protocol: 'VC Data Model 1.1, section 6.3.1' }

export const vcJwt: Group = {
  rows: [
    { ...row, libraries: ['did-jwt-vc'], cells: didJwtVc() },
    { ...row, libraries: ['@veramo/credential-w3c', '@veramo/credential-jwt'], cells: veramo() },
  ],
}
