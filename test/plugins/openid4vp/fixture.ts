import { expect } from '@jest/globals'
import type { GateHouse } from '../gate/fixture.ts'
import { type Json, send } from './wallet.ts'

/** The staff of the office, who ask wallets. */

export const licenceQuery = {
  credentials: [
    {
      id: 'licence',
      format: 'dc+sd-jwt',
      meta: { vct_values: ['urn:chancery:vct:driving-licence:1'] },
      claims: [{ path: ['familyName'] }, { path: ['ageOver18'], values: [true] }],
    },
  ],
}

export type Begun = Json & { id: string; secret: string; wallet_url: string; client_id: string; nonce: string }

export const openStaff = async (house: GateHouse) => {
  const { key } = await house.staffKey()
  const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    send(`${house.url}${path}`, method, body, { authorization: `Bearer ${key}`, ...headers })
  const ask = (more: Json = {}, headers: Record<string, string> = {}) =>
    call('POST', '/presentation-requests', { purpose: 'a test', dcql_query: licenceQuery, ...more }, headers)
  return {
    call,
    ask,
    async begin(more: Json = {}): Promise<Begun> {
      const { status, body } = await ask(more)
      expect([status, body['code']]).toEqual([201, undefined])
      return body as unknown as Begun
    },
    result: (id: string, body: Json = {}) => call('POST', `/presentation-requests/${id}/result`, body),
    poll: ({ id, secret }: Begun, more: Json = {}) =>
      send(`${house.url}/presentation-requests/${id}/state`, 'POST', { secret, ...more }),
  }
}

export type Staff = Awaited<ReturnType<typeof openStaff>>
