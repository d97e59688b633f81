import { join } from 'node:path'
import { ConfigError, readAgencies } from '../src/config/agency.ts'
import { demoAgencies, servedAs } from '../src/conformance.ts'

const profile = readAgencies([join(import.meta.dirname, '../agents/conformance.yml')])
const others = readAgencies([join(import.meta.dirname, '../agents/tax-authority.yml')])
const environment: Parameters<typeof servedAs>[0] = {
  ...{ dataDir: '/d', port: 3000, publicOrigin: undefined, tls: undefined, production: false },
}

describe('a conformance profile', () => {
  it('is no part of the demo', () => {
    expect(demoAgencies([...profile, ...others]).map(({ name }) => name)).toEqual(['tax-authority'])
  })

  it('is served over https under its own port, from a folder of its own', async () => {
    const served = await servedAs(environment, profile)
    expect(served).toMatchObject({ dataDir: '/d/conformance', port: 8443, publicOrigin: 'https://localhost:8443' })
    expect(served.tls?.cert).toContain('BEGIN CERTIFICATE')
    const named = await servedAs({ ...environment, publicOrigin: 'https://suites.example' }, profile)
    expect(named.publicOrigin).toBe('https://suites.example')
  })

  it('is refused in production, and beside other agencies', async () => {
    await expect(servedAs({ ...environment, production: true }, profile)).rejects.toThrow(ConfigError)
    await expect(servedAs(environment, [...profile, ...others])).rejects.toThrow('started alone')
  })

  it('changes nothing for other agencies', async () => {
    expect(await servedAs(environment, others)).toEqual(environment)
  })
})
