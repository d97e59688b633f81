import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decryptJwe, newEncryptionKey } from '../../../src/identity/openid/jwe.ts'
import { newSigner } from '../../identity/integrity/signers.ts'
import { link, type Members, signed, typ } from '../../identity/openid/vp/asking.ts'
import { verifierOrigins } from './fixture.ts'

/** A verifier on this machine, which asks wallets by its DID and keeps what they answer. */

export const licenceVct = 'urn:chancery:vct:national-identity:1'
export const nameQuery = (more: Members = {}): Members => ({
  credentials: [
    { id: 'id', format: 'dc+sd-jwt', meta: { vct_values: [licenceVct] }, claims: [{ path: ['familyName'] }], ...more },
  ],
})

type Reply = { status: number; body?: Members; headers?: Record<string, string> }

const bodyOf = async (request: IncomingMessage): Promise<Record<string, string>> => {
  let text = ''
  for await (const chunk of request) text += chunk
  return Object.fromEntries(new URLSearchParams(text))
}

export const openAskingVerifier = async (clock: { now(): number }) => {
  const signer = newSigner('P-256')
  const encryption = await newEncryptionKey()
  const clientId = `decentralized_identifier:${signer.did}`
  const objects = new Map<string, string>()
  const asked: string[] = []
  const answers: Record<string, string>[] = []
  const state: { reply: Reply; fetched: Reply | undefined; lost: boolean; replying?: () => Promise<Reply> } = {
    reply: { status: 200, body: { redirect_uri: 'https://shop.example/done#code=1' } },
    fetched: undefined,
    lost: false,
  }
  const send = (response: ServerResponse, { status, body, headers = {} }: Reply): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(body === undefined ? '' : JSON.stringify(body))
  }
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? ''
    if (path === '/response') {
      answers.push(await bodyOf(request))
      if (state.lost) return void response.destroy()
      return send(response, (await state.replying?.()) ?? state.reply)
    }
    asked.push(path)
    const object = objects.get(path)
    // Nobody has a request twice (OpenID4VP 1.0, section 13.3).
    objects.delete(path)
    if (state.fetched !== undefined) return send(response, state.fetched)
    if (object === undefined) return send(response, { status: 404 })
    response.writeHead(200, { 'content-type': 'application/oauth-authz-req+jwt' })
    response.end(object)
  }
  const server: Server = createServer((request, response) => void serve(request, response))
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  verifierOrigins.push(origin)
  let count = 0
  return {
    ...{ clientId, origin, asked, answers, state, encryption },
    /** A link with a request behind it. */
    ask(more: Members = {}): string {
      count += 1
      const path = `/request/${count}`
      const payload = {
        ...{
          client_id: clientId,
          aud: 'https://self-issued.me/v2',
          response_type: 'vp_token',
          nonce: `nonce-${count}`,
        },
        ...{ response_mode: 'direct_post', response_uri: `${origin}/response`, state: `state-${count}` },
        ...{ dcql_query: nameQuery(), exp: Math.floor(clock.now() / 1_000) + 300, ...more },
      }
      objects.set(path, signed({ typ, kid: signer.verificationMethod }, payload, signer.privateKey))
      return link({ client_id: clientId, request_uri: origin + path })
    },
    /** The request for an encrypted answer. */
    encrypted: {
      response_mode: 'direct_post.jwt',
      client_metadata: {
        jwks: { keys: [encryption.publicJwk] },
        encrypted_response_enc_values_supported: ['A128GCM', 'A256GCM'],
      },
    },
    decrypt: async (response: string) => (await decryptJwe(response, { key: encryption.privateJwk })).payload,
    close: async () => {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
    },
  }
}

export type AskingVerifier = Awaited<ReturnType<typeof openAskingVerifier>>
