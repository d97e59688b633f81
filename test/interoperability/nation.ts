import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DIDDocument } from 'did-resolver'
import { pemOfCertificate } from '../../src/identity/x509/certificate.ts'
import { makeAccessCertificate } from '../../src/identity/x509/make.ts'
import { citizenAt, staffOf } from '../clients.ts'
import { openOffice } from '../identity/mdoc/fixture.ts'
import { day } from '../identity/x509/authority.ts'
import { startIssuer, type TheirIssuer } from '../plugins/wallet/their-issuer.ts'
import { openTheirVerifier } from '../plugins/wallet/their-verifier.ts'
import { killNode, root, startService, temporaryFolder } from '../service.ts'
import { newWalletKey } from '../their-wallet.ts'
import { crafts, type Stranger, type World } from './crafts.ts'

/** A nation as its operators start it, and beside it issuers and a verifier that are made of libraries of others. */

const clock = { now: () => Date.now() }

const proof_types_supported = { jwt: { proof_signing_alg_values_supported: ['ES256'] } }

const openStranger = async (craft: (typeof crafts)[number], office: Stranger['office']) => {
  const key = newWalletKey()
  let stranger: Stranger | undefined
  const named = (origin: string) => `did:web:${new URL(origin).host.replace(':', '%3A')}`
  const issuer = await startIssuer({
    now: clock.now,
    give: holder => craft.issue(holder, stranger as Stranger),
    configurations: { it: { format: craft.format, scope: 'it', ...craft.offered, proof_types_supported } },
    documents: origin => {
      const [did, kid] = [named(origin), `${named(origin)}#key-1`]
      const { crv, kty, x, y } = key.jwk
      const method = { id: kid, type: 'JsonWebKey2020', controller: did, publicKeyJwk: { crv, kty, x, y } }
      const contexts = ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/suites/jws-2020/v1']
      return {
        '/.well-known/did.json': {
          ...{ '@context': contexts, id: did, verificationMethod: [method], assertionMethod: [kid] },
        },
      }
    },
  })
  const { origin } = issuer
  const keys = { issuer: origin, jwks: { keys: [{ ...key.jwk, kid: 'key-1', alg: 'ES256', use: 'sig' }] } }
  issuer.twist.keys = () => ({ status: 200, body: keys })
  stranger = { origin, key, office, did: named(origin), kid: `${named(origin)}#key-1` }
  return { issuer, stranger }
}

/** The demo's agencies; the wallet service hears of strangers, as its operator would tell it. */
const agenciesWith = (folder: string, strangers: readonly string[], anchor: string): string[] => {
  const place = join(folder, 'agents')
  mkdirSync(place, { recursive: true })
  writeFileSync(join(place, 'strangers.pem'), anchor)
  const told = [
    `allowedHttpOrigins: [${strangers.join(', ')}]`,
    'trusts:',
    '  - type: DrivingLicence',
    '    format: mso_mdoc',
    '    doctype: org.iso.18013.5.1.mDL',
    '    source: { certificates: strangers.pem }',
    '    status: optional',
  ]
  const file = readFileSync(join(root, 'agents/citizen-wallet.yml'), 'utf8')
  const text = file.replace(/^verifiers:$/m, 'verifiers:\n  authorities: [strangers.pem]')
  writeFileSync(join(place, 'citizen-wallet.yml'), [text, ...told, ''].join('\n'))
  const agents = ['root-authority', 'transport-authority'].map(name => join(root, 'agents', `${name}.yml`))
  return [...agents, join(place, 'citizen-wallet.yml')]
}

export const openNation = async () => {
  const folder = temporaryFolder()
  const office = await openOffice({ opened: Date.now() - 10 * day })
  const [chain = new Uint8Array()] = office.chain
  const strangersOffice = {
    certificate: pemOfCertificate(chain),
    ...{ privateKey: office.signer.privateKey, root: pemOfCertificate(office.root.certificate) },
  }
  const issuers = new Map<string, Awaited<ReturnType<typeof openStranger>>>()
  for (const craft of crafts) issuers.set(craft.format, await openStranger(craft, strangersOffice))
  const verifier = await openTheirVerifier(clock, publicKey =>
    makeAccessCertificate({
      ...{ authority: office.root, publicKey, hosts: ['localhost'], commonName: 'A verifier', country: 'XN' },
      ...{ notBefore: Date.now() - day, notAfter: Date.now() + 30 * day },
    }),
  )
  const strangers = [...[...issuers.values()].map(({ issuer }) => issuer.origin), verifier.origin]
  const dataDir = join(folder.path, 'data')
  const agencies = agenciesWith(folder.path, strangers, strangersOffice.root)
  const service = await startService({ dataDir, agencies })
  const authority = `${service.url}/transport-authority`

  const world: World = {
    async resolve(did) {
      const [, method, host = ''] = did.split(':')
      const url =
        method === 'web'
          ? `http://${decodeURIComponent(host)}/.well-known/did.json`
          : `${authority}/1.0/identifiers/${encodeURIComponent(did)}`
      const response = await fetch(url, { headers: { accept: 'application/did' } })
      return (await response.json()) as DIDDocument
    },
    async anchors() {
      const { anchors } = (await (await fetch(`${authority}/certificates`)).json()) as { anchors: string[] }
      const ours = anchors.map(each => pemOfCertificate(new Uint8Array(Buffer.from(each, 'base64'))))
      return [...ours, strangersOffice.root]
    },
  }

  return {
    ...{ authority, world, verifier, citizen: await citizenAt(service, 'amara') },
    issuerOf: (format: string) => issuers.get(format)?.issuer as TheirIssuer,
    strangerOf: (format: string) => issuers.get(format)?.stranger as Stranger,
    staff: staffOf(service, 'transport-authority'),
    async close() {
      await Promise.all([
        ...[...issuers.values()].map(({ issuer }) => issuer.close()),
        verifier.close(),
        service.stop(),
      ])
      killNode(dataDir)
      folder.remove()
    },
  }
}

export type Nation = Awaited<ReturnType<typeof openNation>>
let opened: Promise<Nation> | undefined

/** One nation for all rows that need one. */
export const nation = (): Promise<Nation> => {
  opened ??= openNation()
  return opened
}

export const closeNation = async (): Promise<void> => {
  const open = opened
  opened = undefined
  await (await open)?.close()
}
