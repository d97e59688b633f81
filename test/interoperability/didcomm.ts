import { expect } from '@jest/globals'
import { collect, openPeer, type Peer, presentJwtVc } from '../plugins/didcomm/theirs.ts'
import { exampleOf } from '../service.ts'
import type { Cells, Group } from './cells.ts'
import { nation } from './nation.ts'
import { enveloped } from './ours.ts'

/** Messages of DIDComm between an agency and agents of Veramo, over HTTP. */

const formats = ['jwt_vc', 'dc+sd-jwt', 'ldp_vc'] as const
type Format = (typeof formats)[number]

const withPeer = async (use: (peer: Peer) => Promise<void>): Promise<void> => {
  const peer = await openPeer()
  try {
    await use(peer)
  } finally {
    await peer.close()
  }
}

type Invitation = { id: string; from: string }

const collected = async (peer: Peer, format: Format): Promise<unknown> => {
  const { staff } = await nation()
  const claims = exampleOf('driving-licence')
  const { body } = await staff.createDidcommOffer({ body: { type: 'DrivingLicence', format, claims } })
  const credential = await collect(peer, body.invitation as Invitation)
  expect((await staff.getDidcommOffer({ params: { exchange: body.id } })).body.state).toBe('done')
  return credential
}

const query = {
  ...{ id: 'licence', format: 'jwt_vc_json', claims: [{ path: ['credentialSubject', 'familyName'] }] },
  meta: {
    type_values: [
      ['https://www.w3.org/2018/credentials#VerifiableCredential', 'https://chancery.example/ns#DrivingLicence'],
    ],
  },
}

const presented = (): Promise<void> =>
  withPeer(async peer => {
    const { staff } = await nation()
    const credential = String(await collected(peer, 'jwt_vc'))
    const order = { dcql: { credentials: [query] }, purpose: 'a test' }
    const asked = async () => (await staff.createDidcommPresentationRequest({ body: order })).body
    const { id, invitation } = await asked()
    const ack = await presentJwtVc(peer, invitation as Invitation, credential)
    expect(ack.type).toMatch(/present-proof\/3\.0\/ack$/)
    const { body } = await staff.getDidcommPresentationRequest({ params: { exchange: id } })
    expect(body).toMatchObject({
      state: 'done',
      presented: { licence: [{ type: 'DrivingLicence', holder: peer.did }] },
    })
    const other = (await asked()).invitation as Invitation
    const report = await presentJwtVc(peer, other, credential, { challenge: 'other' })
    expect(report.type).toMatch(/problem-report$/)
  })

const noWallet =
  'Citizens’ wallets collect and present by OpenID4VCI and OpenID4VP; in DIDComm the wallet service is a mediator.'
const noOther = 'The agents of Veramo here present what they can wrap in a JWT, which is `jwt_vc`.'

const cellsOf = (format: Format): Cells => ({
  ...{ 'their issuer, our wallet': noWallet, 'our wallet, their verifier': noWallet },
  'our issuer, their wallet': () =>
    withPeer(async peer => {
      const { staff } = await nation()
      const credential = await collected(peer, format)
      const verifiableCredential = format === 'dc+sd-jwt' ? enveloped(`dc+sd-jwt,${String(credential)}`) : credential
      const { body } = await staff.verifyCredential({ body: { verifiableCredential: verifiableCredential as string } })
      expect(body).toMatchObject({ verified: true })
    }),
  'their wallet, our verifier': format === 'jwt_vc' ? presented : noOther,
})

export const didcomm: Group = {
  rows: formats.map(format => ({
    ...{ format: `\`${format}\``, protocol: 'DIDComm Messaging v2.1, Issue Credential 3.0, Present Proof 3.0' },
    libraries: [
      '@veramo/did-comm',
      '@veramo/message-handler',
      ...(format === 'jwt_vc' ? ['@veramo/credential-w3c'] : []),
    ],
    cells: cellsOf(format),
  })),
}
