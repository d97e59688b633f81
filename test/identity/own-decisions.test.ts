import { ownDecisions, withOwnDecisions } from '../../src/identity/status.ts'
import type { StatusReader } from '../../src/kernel/ports.ts'

const pointer = { chain: 'eip155:1', registry: '0x1', issuer: '0x2', list: 0, index: 7 }
const block = { chain: 'eip155:1', number: 9, hash: '0x', timestamp: 9_000 }
const chain: StatusReader = {
  head: () => block,
  openedAt: () => 0,
  status: () => 'valid',
  statusAt: async () => ({ status: 'valid', block }),
}

describe('what the issuer has decided and the chain does not show yet', () => {
  it('counts for now, also when now is asked for as a time', async () => {
    const own = ownDecisions()
    const reader = withOwnDecisions(chain, own)
    own.decide(pointer, 'revoked')
    expect(reader.status(pointer)).toBe('revoked')
    expect((await reader.statusAt(pointer, block.timestamp)).status).toBe('revoked')
    expect((await reader.statusAt(pointer, block.timestamp + 60_000)).status).toBe('revoked')
  })

  it('does not change what the chain said at a past time', async () => {
    const own = ownDecisions()
    own.decide(pointer, 'suspended')
    expect((await withOwnDecisions(chain, own).statusAt(pointer, block.timestamp - 1)).status).toBe('valid')
  })
})
