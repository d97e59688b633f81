import type { Json } from '../../../src/kernel/canonical.ts'
import { retention } from '../../../src/plugins/vc-api/entities.ts'
import { erase } from '../../../src/store/retention.ts'
import { onEachDatabase } from '../../databases.ts'
import { clerk, examples, migrations, newWallet, offeredIn, openAgency, publicUrl, requestIn, v2 } from './fixture.ts'

const template = {
  type: 'application/json',
  template: {
    '@context': [v2, examples],
    type: ['VerifiableCredential', 'ExampleDegreeCredential'],
    credentialSubject: { degree: { type: 'ExampleBachelorDegree', name: '{degree}' } },
  },
}
const authenticate = { verifiablePresentationRequest: { query: { type: 'DIDAuthentication' } } }
const degreeQuery = (more: Record<string, Json> = {}) => ({
  type: 'QueryByExample',
  credentialQuery: { example: { '@context': [v2, examples], type: 'ExampleDegreeCredential' }, ...more },
})

/** Whoever proves a DID gets a degree. */
const issuing = {
  issuer: 'jcs',
  initialStep: 'authenticate',
  credentialTemplates: [template],
  steps: {
    authenticate: { createChallenge: true, ...authenticate, nextStep: 'deliver' },
    deliver: { issueRequests: [{ credentialTemplateIndex: 0 }] },
  },
}
const asking = (query: Json, more: Record<string, unknown> = {}) => ({
  initialStep: 'ask',
  steps: { ask: { verifiablePresentationRequest: { query }, ...more } },
})
const degree = { degree: 'Bachelor of Laws' }
const code = (name: string) => expect.objectContaining({ code: name })

onEachDatabase(migrations, databases => {
  const open = async () => databases.closing(await openAgency(await databases.place()))

  describe('an exchange (VCALM 1.0, Workflows and Exchanges)', () => {
    it('issues to the DID that was proven in it, and then is complete', async () => {
      const agency = await open()
      const wallet = newWallet()
      const exchange = await agency.exchange(await agency.workflow(issuing), { variables: degree })
      expect(exchange.begun).toMatchObject({ status: 201, headers: { location: exchange.url } })
      expect(exchange.begun.body).toMatchObject({ state: 'pending', step: 'authenticate', sequence: 0 })
      const asked = await exchange.send({})
      expect(requestIn(asked)).toMatchObject({ query: [{ type: 'DIDAuthentication' }], domain: exchange.url })
      expect(await exchange.state()).toMatchObject({ state: 'active', variables: degree })
      const message = await exchange.send({ verifiablePresentation: await wallet.present(requestIn(asked)) })
      const [credential] = offeredIn(message)
      expect(credential).toMatchObject({
        issuer: agency.did('jcs'),
        credentialSubject: { id: wallet.did, degree: { name: 'Bachelor of Laws' } },
        proof: { cryptosuite: 'eddsa-jcs-2022' },
      })
      expect(await exchange.state()).toMatchObject({
        ...{ state: 'complete', step: 'deliver', sequence: 1 },
        variables: { results: { authenticate: { did: wallet.did, verifiablePresentation: { holder: wallet.did } } } },
      })
    })

    it('goes through several steps, each with a challenge of its own, and ends with a redirectUrl', async () => {
      const agency = await open()
      const wallet = newWallet()
      const steps = {
        authenticate: { ...authenticate, nextStep: 'ask' },
        ask: { verifiablePresentationRequest: { query: [degreeQuery()] }, nextStep: 'deliver' },
        deliver: { issueRequests: [{ credentialTemplateIndex: 0, issuer: 'jose' }], redirectUrl: '{next}' },
      }
      const id = await agency.workflow({ ...issuing, steps })
      const exchange = await agency.exchange(id, { variables: { ...degree, next: 'https://shop.example/done' } })
      const first = requestIn(await exchange.send({}))
      const second = requestIn(await exchange.send({ verifiablePresentation: await wallet.present(first) }))
      expect(second.challenge).not.toBe(first.challenge)
      const held = await agency.issue('rdfc', {
        type: ['VerifiableCredential', 'ExampleDegreeCredential'],
        credentialSubject: { id: wallet.did },
      })
      const message = await exchange.send({ verifiablePresentation: [await wallet.present(second, [held])] })
      expect(message).toMatchObject({ redirectUrl: 'https://shop.example/done' })
      expect(offeredIn(message)).toMatchObject([{ type: 'EnvelopedVerifiableCredential' }])
    })

    it('offers at once what it asks nothing for, and answers {} at its end', async () => {
      const agency = await open()
      const bearer = { ...issuing, initialStep: 'deliver', steps: { deliver: issuing.steps.deliver } }
      const delivered = await agency.exchange(await agency.workflow(bearer), { variables: degree })
      expect(offeredIn(await delivered.send({}))).toHaveLength(1)
      const asked = await agency.exchange(await agency.workflow(asking({ type: 'DIDAuthentication' })))
      const request = requestIn(await asked.send({}))
      expect(await asked.send({ verifiablePresentation: await newWallet().present(request) })).toEqual({})
    })

    it('asks for the same again when {} is repeated, and shows it to a GET without changing anything', async () => {
      const agency = await open()
      const exchange = await agency.exchange(await agency.workflow(issuing), { variables: degree })
      const seen = await agency.call('getExchangeRequest', exchange.params)
      expect(await exchange.state()).toMatchObject({ state: 'pending' })
      expect(await exchange.send({})).toEqual(seen.body)
      expect(await exchange.send({})).toEqual(seen.body)
      expect((await agency.call('getExchangeRequest', exchange.params)).body).toEqual(seen.body)
    })

    it('gives a participant whose answer was lost the same again, under the same Idempotency-Key alone', async () => {
      const agency = await open()
      const exchange = await agency.exchange(await agency.workflow(issuing), { variables: degree })
      const verifiablePresentation = await newWallet().present(requestIn(await exchange.send({})))
      const key = { 'idempotency-key': 'once' }
      const message = await exchange.send({ verifiablePresentation }, key)
      expect(await exchange.send({ verifiablePresentation }, key)).toEqual(message)
      await expect(exchange.send({ verifiablePresentation })).rejects.toEqual(code('exchange_complete'))
      await expect(exchange.send({}, key)).rejects.toEqual(code('idempotency_mismatch'))
    })

    it('takes a presentation in JOSE, and not where a cryptosuite was asked for', async () => {
      const agency = await open()
      const wallet = newWallet('vc+jwt')
      const answering = async (query: Json) => {
        const exchange = await agency.exchange(await agency.workflow(asking(query)))
        const verifiablePresentation = await wallet.present(requestIn(await exchange.send({})))
        return exchange.send({ verifiablePresentation })
      }
      expect(await answering({ type: 'DIDAuthentication' })).toEqual({})
      const suites = [{ cryptosuite: 'eddsa-jcs-2022' }]
      const refused = answering({ type: 'DIDAuthentication', acceptedCryptosuites: suites })
      await expect(refused).rejects.toEqual(code('cryptosuite_unaccepted'))
    })

    it('gives a status to what an instance with lists issues in it', async () => {
      const agency = await open()
      const exchange = await agency.exchange(await agency.workflow({ ...issuing, issuer: 'listed' }), {
        variables: degree,
      })
      const request = requestIn(await exchange.send({}))
      const message = await exchange.send({ verifiablePresentation: await newWallet().present(request) })
      const id = offeredIn(message)[0]?.['id']
      expect(await agency.store.read('SELECT id FROM instance_credentials')).toEqual([{ id }])
    })

    it('is answered once, however many answers come at the same time', async () => {
      const agency = await open()
      const exchange = await agency.exchange(await agency.workflow({ ...issuing, issuer: 'listed' }), {
        variables: degree,
      })
      const request = requestIn(await exchange.send({}))
      const presentations = await Promise.all([1, 2, 3, 4].map(() => newWallet().present(request)))
      const outcomes = await Promise.allSettled(
        presentations.map(verifiablePresentation => exchange.send({ verifiablePresentation })),
      )
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') {
          expect(['exchange_answered', 'exchange_complete']).toContain((outcome.reason as { code: string }).code)
        }
      }
      expect(await agency.store.read('SELECT id FROM instance_credentials')).toHaveLength(1)
    })

    it('keeps no URL of an exchange, and nothing of it a week after its end', async () => {
      const agency = await open()
      const exchange = await agency.exchange(await agency.workflow(issuing), { variables: degree })
      const rows = await agency.store.read('SELECT * FROM exchanges')
      expect(JSON.stringify(rows)).not.toContain(exchange.params.exchange)
      const rules = retention.filter(rule => 'keepMs' in rule).map(rule => ({ ...rule }))
      agency.clock.advance(6 * 86_400_000)
      await erase(agency.store, agency.clock, rules)
      expect(await agency.store.read('SELECT digest FROM exchanges')).toHaveLength(1)
      agency.clock.advance(2 * 86_400_000)
      await erase(agency.store, agency.clock, rules)
      expect(await agency.store.read('SELECT digest FROM exchanges')).toEqual([])
    })
  })

  describe('what an exchange refuses', () => {
    it('whoever asks for one that is not there', async () => {
      const agency = await open()
      const id = await agency.workflow(issuing)
      const other = await agency.workflow({ ...issuing, id: 'other' })
      const { params } = await agency.exchange(id, { variables: degree })
      const strangers = [
        { params: { ...params, exchange: 'A'.repeat(22) }, refused: 'exchange_unknown' },
        { params: { ...params, workflow: other }, refused: 'exchange_unknown' },
      ]
      for (const { params, refused } of strangers) {
        await expect(agency.call('participateInExchange', params, {})).rejects.toEqual(code(refused))
        for (const operation of ['getExchangeRequest', 'getExchangeProtocols']) {
          await expect(agency.call(operation, params)).rejects.toEqual(code(refused))
        }
      }
      const staff = { caller: clerk }
      await expect(agency.call('getWorkflow', { workflow: 'none' }, undefined, staff)).rejects.toEqual(
        code('workflow_unknown'),
      )
      await expect(agency.exchange('none')).rejects.toEqual(code('workflow_unknown'))
      await expect(agency.workflow({ ...issuing, id: 'other' })).rejects.toEqual(code('workflow_exists'))
    })

    it('staff without the scope, and everybody else, what is staff’s', async () => {
      const agency = await open()
      const { params } = await agency.exchange(await agency.workflow(issuing), { variables: degree })
      const { workflow } = params
      const caller = { kind: 'apiKey' as const, id: 'k', scopes: ['credentials:issue'] }
      for (const how of [{}, { caller }]) {
        for (const refused of [
          () => agency.call('createWorkflow', {}, issuing, how),
          () => agency.call('getWorkflow', { workflow }, undefined, how),
          () => agency.call('createWorkflowExchange', { workflow }, { variables: degree }, how),
          () => agency.call('getWorkflowExchange', params, undefined, how),
          () => agency.call('getExchangeQr', params, undefined, how),
        ]) {
          await expect(refused()).rejects.toMatchObject({ name: 'Refusal' })
        }
      }
    })

    it('answers after its expiry, at every step', async () => {
      const agency = await open()
      const exchange = await agency.exchange(await agency.workflow(issuing), { variables: degree, ttl: 60 })
      const verifiablePresentation = await newWallet().present(requestIn(await exchange.send({})))
      agency.clock.advance(60_000)
      await expect(exchange.send({})).rejects.toEqual(code('exchange_expired'))
      await expect(exchange.send({ verifiablePresentation })).rejects.toEqual(code('exchange_expired'))
      expect(await exchange.state()).toMatchObject({ state: 'invalid', sequence: 0 })
      const { body } = await agency.call('getExchangeRequest', exchange.params)
      expect(body).toEqual({ verifiablePresentationRequest: {} })
    })

    it.each([
      { name: 'in the past', body: { expires: '2020-01-01T00:00:00Z' } },
      { name: 'more than a day ahead', body: { expires: '2999-01-01T00:00:00Z' } },
      { name: 'without a time zone', body: { expires: '2026-11-21T12:00:00' } },
      { name: 'that is no date', body: { expires: 'soon' } },
      { name: 'said twice', body: { expires: '2999-01-01T00:00:00Z', ttl: 60 } },
    ])('an expiry $name', async ({ body }) => {
      const agency = await open()
      const id = await agency.workflow(issuing)
      await expect(agency.exchange(id, { variables: degree, ...body })).rejects.toEqual(code('exchange_expiry'))
    })

    it.each([
      { name: 'that a template names and nobody gave', variables: {}, refused: 'variable_unknown' },
      { name: 'called results', variables: { ...degree, results: {} }, refused: 'variable_reserved' },
      { name: 'called constructor', variables: { ...degree, constructor: 1 }, refused: 'variable_reserved' },
      { name: 'called prototype', variables: { ...degree, prototype: 1 }, refused: 'variable_reserved' },
      { name: 'with a dot in its name', variables: { ...degree, 'a.b': 1 }, refused: 'variable_reserved' },
      { name: 'of more than 64 KiB', variables: { degree: 'x'.repeat(65_536) }, refused: 'variables_excessive' },
    ])('a variable $name', async ({ variables, refused }) => {
      const agency = await open()
      const id = await agency.workflow(issuing)
      await expect(agency.exchange(id, { variables })).rejects.toEqual(code(refused))
    })

    it('a variable that an own member only seems to be, such as __proto__', async () => {
      const agency = await open()
      const variables = JSON.parse('{"degree":"x","__proto__":{"polluted":true}}') as Record<string, unknown>
      await expect(agency.exchange(await agency.workflow(issuing), { variables })).rejects.toEqual(
        code('variable_reserved'),
      )
      const inherited = { ...template, template: { ...template.template, name: '{degree.constructor}' } }
      const id = await agency.workflow({ ...issuing, credentialTemplates: [inherited] })
      await expect(agency.exchange(id, { variables: degree })).rejects.toEqual(code('variable_unknown'))
    })

    it('a redirectUrl that is no https URL', async () => {
      const agency = await open()
      const id = await agency.workflow(asking({ type: 'DIDAuthentication' }, { redirectUrl: '{next}' }))
      for (const next of ['http://shop.example', 'javascript:alert(1)', 'shop', 7]) {
        await expect(agency.exchange(id, { variables: { next } })).rejects.toEqual(code('workflow_malformed'))
      }
    })

    it('a presentation for another challenge, another exchange, another agency, of another step or without any', async () => {
      const agency = await open()
      const wallet = newWallet()
      const id = await agency.workflow(issuing)
      const exchange = await agency.exchange(id, { variables: degree })
      const request = requestIn(await exchange.send({}))
      const elsewhere = requestIn(await (await agency.exchange(id, { variables: degree })).send({}))
      const refused = async (presentation: unknown, name: string) =>
        expect(exchange.send({ verifiablePresentation: presentation })).rejects.toEqual(code(name))
      await refused(await wallet.present({ ...request, challenge: elsewhere.challenge }), 'challenge_mismatch')
      await refused(await wallet.present({ ...request, domain: elsewhere.domain }), 'audience_mismatch')
      await refused(await wallet.present({ ...request, domain: publicUrl }), 'audience_mismatch')
      await refused({ '@context': [v2], type: ['VerifiablePresentation'], holder: wallet.did }, 'holder_unproven')
      expect(await exchange.state()).toMatchObject({ state: 'active', lastError: { title: 'holder_unproven' } })
      await exchange.send({ verifiablePresentation: await wallet.present(request) })
    })

    it('the answer to an earlier step, sent again', async () => {
      const agency = await open()
      const wallet = newWallet()
      const steps = { one: { ...authenticate, nextStep: 'two' }, two: authenticate }
      const exchange = await agency.exchange(await agency.workflow({ initialStep: 'one', steps }))
      const verifiablePresentation = await wallet.present(requestIn(await exchange.send({})))
      await exchange.send({ verifiablePresentation })
      await expect(exchange.send({ verifiablePresentation })).rejects.toEqual(code('challenge_mismatch'))
      expect(await exchange.state()).toMatchObject({ state: 'active', step: 'two' })
    })

    it('another holder in a later step', async () => {
      const agency = await open()
      const steps = { one: { ...authenticate, nextStep: 'two' }, two: authenticate }
      const exchange = await agency.exchange(await agency.workflow({ initialStep: 'one', steps }))
      const first = requestIn(await exchange.send({}))
      const second = requestIn(await exchange.send({ verifiablePresentation: await newWallet().present(first) }))
      const verifiablePresentation = await newWallet().present(second)
      await expect(exchange.send({ verifiablePresentation })).rejects.toEqual(code('holder_differs'))
    })

    it('every answer after five that were refused', async () => {
      const agency = await open()
      const exchange = await agency.exchange(await agency.workflow(issuing), { variables: degree })
      const request = requestIn(await exchange.send({}))
      const wrong = await newWallet().present({ ...request, challenge: 'guessed' })
      for (let count = 0; count < 5; count++) {
        await expect(exchange.send({ verifiablePresentation: wrong })).rejects.toEqual(code('challenge_mismatch'))
      }
      const right = await newWallet().present(request)
      await expect(exchange.send({ verifiablePresentation: right })).rejects.toEqual(code('exchange_invalid'))
      expect(await exchange.state()).toMatchObject({ state: 'invalid', variables: { results: {} } })
    })

    it('messages of other kinds, two presentations, and a presentation that nobody asked for', async () => {
      const agency = await open()
      const exchange = await agency.exchange(await agency.workflow(issuing), { variables: degree })
      const request = requestIn(await exchange.send({}))
      const one = await newWallet().present(request)
      for (const message of [
        { verifiablePresentationRequest: { query: [{ type: 'DIDAuthentication' }] } },
        { redirectUrl: 'https://wallet.example/interactions/1?iuv=1' },
        { verifiablePresentation: [one, one] },
      ]) {
        await expect(exchange.send(message)).rejects.toEqual(code('message_unsupported'))
      }
      const bearer = { ...issuing, initialStep: 'deliver', steps: { deliver: issuing.steps.deliver } }
      const delivering = await agency.exchange(await agency.workflow(bearer), { variables: degree })
      await expect(delivering.send({ verifiablePresentation: one })).rejects.toEqual(code('presentation_unasked'))
    })

    it('to issue about anybody but the DID that was proven', async () => {
      const agency = await open()
      const named = { ...template.template, credentialSubject: { id: '{id}' } }
      const id = await agency.workflow({ ...issuing, credentialTemplates: [{ ...template, template: named }] })
      const wallet = newWallet()
      const foreign = await agency.exchange(id, { variables: { id: newWallet().did } })
      const request = requestIn(await foreign.send({}))
      const verifiablePresentation = await wallet.present(request)
      await expect(foreign.send({ verifiablePresentation })).rejects.toEqual(code('subject_foreign'))
      const own = await agency.exchange(id, { variables: { id: wallet.did } })
      const message = await own.send({ verifiablePresentation: await wallet.present(requestIn(await own.send({}))) })
      expect(offeredIn(message)).toMatchObject([{ credentialSubject: { id: wallet.did } }])
    })
  })
})
