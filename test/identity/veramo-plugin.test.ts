import { createAgent } from '@veramo/core'
import { schema } from '@veramo/core-types'
import { CredentialPlugin } from '@veramo/credential-w3c'
import fc from 'fast-check'
import {
  assertDistinct,
  methodOf,
  type OperationCall,
  type OperationPlugin,
  openGatedAgent,
  veramoPlugin,
  veramoSurface,
} from '../../src/identity/veramo-plugin.ts'
import { Refusal } from '../../src/kernel/refusal.ts'

type Call = { operation: string; call: OperationCall }

/** A door that lets nobody in without a key, and shows what reached it. */
const plugin = (name: string, operations: string[]): OperationPlugin & { reached: Call[] } => {
  const reached: Call[] = []
  return {
    ...{ name, operations, reached },
    async call(operation, call) {
      reached.push({ operation, call })
      if (call.authorization === undefined) throw new Refusal('unauthenticated', 'unauthenticated', 'A key is needed.')
      return operation === 'forget' ? { status: 204 } : { status: 201, body: { operation } }
    },
  }
}

const veramos = Object.values(schema).flatMap(part => Object.keys(part.components.methods))

describe('a plugin of ours as one of Veramo’s', () => {
  it('has a method an operation, which takes what a request would bring and answers what a response would', async () => {
    const registry = plugin('registry', ['applyToRegister', 'forget'])
    const agent = createAgent({ plugins: [veramoPlugin(registry)] })
    const call = { params: { register: 'a' }, query: { at: 'b' }, headers: { 'idempotency-key': 'k' }, body: { c: 1 } }
    const keys = { authorization: 'DPoP gs_1', dpop: 'proof' }
    const answer = await agent.execute('applyToRegister', { ...call, ...keys })
    expect(answer).toEqual({ status: 201, body: { operation: 'applyToRegister' } })
    expect(await agent.execute('forget', keys)).toEqual({ status: 204 })
    expect(registry.reached).toEqual([
      { operation: 'applyToRegister', call: { ...call, ...keys } },
      { operation: 'forget', call: keys },
    ])
    expect(agent.availableMethods()).toEqual(['applyToRegister', 'forget'])
  })

  it('hands the refusal of the operation on as it is', async () => {
    const agent = createAgent({ plugins: [veramoPlugin(plugin('registry', ['applyToRegister']))] })
    const refused = agent.execute('applyToRegister', {})
    await expect(refused).rejects.toBeInstanceOf(Refusal)
    await expect(refused).rejects.toMatchObject({ kind: 'unauthenticated', code: 'unauthenticated' })
  })

  it('calls as whom the agent is for, unless the call says as whom', async () => {
    const registry = plugin('registry', ['applyToRegister'])
    const agent = openGatedAgent([veramoPlugin(registry)], 'Bearer of the agent')
    await agent.execute('applyToRegister', {})
    await agent.execute('applyToRegister', { authorization: 'Bearer of the call' })
    const by = registry.reached.map(({ call }) => call.authorization)
    expect(by).toEqual(['Bearer of the agent', 'Bearer of the call'])
  })

  it.each([
    ['an argument that it does not know', { caller: { kind: 'apiKey', scopes: ['credentials:issue'] } }],
    ['the scopes of a caller', { scopes: ['credentials:issue'] }],
    ['parameters that are not texts', { params: { register: 1 } }],
    ['a list of parameters', { params: ['a'] }],
    ['headers that are not texts', { headers: { 'idempotency-key': ['k'] } }],
    ['a query of null', { query: null }],
    ['an authorization that is no text', { authorization: { toString: () => 'Bearer' } }],
    ['a proof that is no text', { dpop: 5 }],
    ['a list', []],
    ['a text', 'body'],
  ])('refuses %s, and nothing reaches the door', async (_, args) => {
    const registry = plugin('registry', ['applyToRegister'])
    const agent = openGatedAgent([veramoPlugin(registry)], 'Bearer k')
    await expect(agent.execute('applyToRegister', args)).rejects.toMatchObject({ code: 'agent_argument_unsupported' })
    expect(registry.reached).toEqual([])
  })

  it('takes no authorization from a context that has none of ours', async () => {
    const registry = plugin('registry', ['applyToRegister'])
    for (const context of [{ authorization: { scopes: ['all'] } }, { caller: 'staff' }, {}]) {
      const agent = createAgent({ plugins: [veramoPlugin(registry)], context })
      await expect(agent.execute('applyToRegister', {})).rejects.toMatchObject({ code: 'unauthenticated' })
    }
  })
})

describe('the names of methods', () => {
  it('are those of the operations, but where Veramo has the name', () => {
    expect(methodOf('registry', 'applyToRegister')).toBe('applyToRegister')
    expect(methodOf('credentials', 'verifyCredential')).toBe('credentialsVerifyCredential')
    expect(methodOf('credentials', 'resolveDid')).toBe('credentialsResolveDid')
  })

  it('are never Veramo’s own', () => {
    expect(veramos.length).toBeGreaterThan(40)
    for (const name of veramos) expect(veramos).not.toContain(methodOf('credentials', name))
  })

  it.each([
    'execute',
    'emit',
    'availableMethods',
    'getSchema',
    'methods',
    'context',
    'then',
    'constructor',
    '__proto__',
  ])('are not such as would break the agent: %s', operation => {
    expect(() => methodOf('registry', operation)).toThrow(`cannot have the operation ${operation} of registry`)
    expect(() => veramoPlugin(plugin('registry', [operation]))).toThrow(/cannot have the operation/)
  })

  it('leave an agent what it was, whatever operations it is given', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.stringMatching(/^[a-z]\w{0,12}$/), fc.string({ maxLength: 20 })),
        async operation => {
          let made: ReturnType<typeof veramoPlugin>
          try {
            made = veramoPlugin(plugin('registry', [operation]))
          } catch {
            return
          }
          const agent = await createAgent({ plugins: [made] })
          expect(typeof agent.execute).toBe('function')
          await expect(agent.execute(methodOf('registry', operation), {})).rejects.toMatchObject({
            kind: 'unauthenticated',
          })
        },
      ),
    )
  })

  it('are one plugin’s each: an agent in which one would answer for another is not opened', () => {
    const one = veramoPlugin(plugin('registry', ['listEntries', 'applyToRegister']))
    const two = veramoPlugin(plugin('assets', ['listEntries']))
    expect(() => openGatedAgent([one, two])).toThrow('two plugins of the Veramo agent have the method listEntries')
    const shadowing = { methods: { verifyCredential: async () => ({ verified: true }) } }
    expect(() => assertDistinct([new CredentialPlugin([]), shadowing])).toThrow('the method verifyCredential')
    const ours = veramoPlugin(plugin('credentials', ['verifyCredential', 'verifyPresentation', 'resolveDid']))
    expect(() => assertDistinct([new CredentialPlugin([]), ours])).not.toThrow()
  })
})

describe('Veramo’s own methods behind the gate', () => {
  const surface = (seen: unknown[]) =>
    veramoSurface(['verifyCredential', 'resolveDid'], async (method, args, authorization) => {
      seen.push({ method, args, authorization })
      return { verified: false }
    })

  it('take Veramo’s arguments, and the caller from the agent', async () => {
    const seen: unknown[] = []
    const agent = openGatedAgent([surface(seen)], 'Bearer k')
    expect(await agent.execute('verifyCredential', { credential: 'x' })).toEqual({ verified: false })
    expect(seen).toEqual([{ method: 'verifyCredential', args: { credential: 'x' }, authorization: 'Bearer k' }])
  })

  it('are all that the agent has of Veramo', async () => {
    const agent = openGatedAgent([surface([]), veramoPlugin(plugin('registry', ['applyToRegister']))], 'Bearer k')
    for (const method of veramos.filter(name => !['verifyCredential', 'resolveDid'].includes(name))) {
      await expect(agent.execute(method, {})).rejects.toThrow(`Method not available: ${method}`)
    }
  })
})
