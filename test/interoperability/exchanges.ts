import { join } from 'node:path'
import { openAgency } from '../plugins/vc-api/fixture.ts'
import { exchangeWithTheirs } from '../plugins/vc-api/their-exchange.ts'
import { temporaryFolder } from '../service.ts'
import type { Group } from './cells.ts'

/** Exchanges of the VC API. */

const noExchanges =
  '`@digitalbazaar/vc` secures and verifies; the exchange around it, where we would be the wallet, is nobody’s library here.'

const withTheirs = async (): Promise<void> => {
  const folder = temporaryFolder()
  const place = { file: join(folder.path, 'agency.sqlite') }
  const agency = await openAgency(place, { now: () => Date.now(), advance: () => undefined })
  try {
    await exchangeWithTheirs(agency, { suite: 'eddsa-rdfc-2022', curve: 'Ed25519' })
    await exchangeWithTheirs(agency, { suite: 'ecdsa-rdfc-2019', curve: 'P-256' })
  } finally {
    await agency.close()
    folder.remove()
  }
}

export const exchanges: Group = {
  rows: [
    {
      ...{ format: 'exchange, `ldp_vc`', protocol: 'VCALM 1.0 (VC API)' },
      libraries: [
        ...['@digitalbazaar/vc', '@digitalbazaar/eddsa-rdfc-2022-cryptosuite'],
        '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite',
      ],
      cells: {
        ...{ 'our issuer, their wallet': withTheirs, 'their wallet, our verifier': withTheirs },
        ...{ 'their issuer, our wallet': noExchanges, 'our wallet, their verifier': noExchanges },
      },
    },
  ],
}
