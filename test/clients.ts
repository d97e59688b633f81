import { ChanceryError, type Client, openClient } from '../client/src/client.ts'
import { keyOf } from './service.ts'

/** Agencies called by their operations, with the client that others are given. */

type Place = { url: string; dataDir: string }

/** As the staff of an agency. */
export const staffOf = ({ url, dataDir }: Place, agency: string): Client =>
  openClient({ url: `${url}/${agency}`, token: keyOf(dataDir, agency) })

/** As anybody. */
export const anyoneAt = ({ url }: Pick<Place, 'url'>, agency: string): Client => openClient({ url: `${url}/${agency}` })

/** As a citizen with a new account at the wallet service. */
export const citizenAt = async ({ url }: Pick<Place, 'url'>, handle: string): Promise<Client> => {
  const wallet = `${url}/citizen-wallet`
  const account = { body: { handle, passphrase: 'correct horse battery staple' } }
  const visitor = openClient({ url: wallet })
  await visitor.registerCitizen(account)
  return openClient({ url: wallet, token: (await visitor.openSession(account)).body.token })
}

/** What a call is refused with. A defect, or no refusal, fails the test. */
export const refusalOf = async (call: Promise<unknown>): Promise<ChanceryError> => {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof ChanceryError) return error
  throw new Error('the agency did not refuse', { cause: error })
}
