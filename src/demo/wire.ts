/** The demo nation from outside, over HTTP. */

export type Asked = { path: string; method?: string; body?: unknown; headers?: Record<string, string> }
export type Answered = { body: Record<string, unknown>; headers: Headers }

/** What the nation refused, by its code. */
export class Refused extends Error {
  readonly code: string
  readonly headers: Headers
  constructor(code: string, detail: string, headers: Headers) {
    super(`refused (${code}): ${detail}`)
    this.code = code
    this.headers = headers
  }
}

const answerMs = 20_000

/** @param url of the agency. @throws Refused; Error when nobody answers there */
export const ask = async (url: string, { path, method = 'POST', body, headers = {} }: Asked): Promise<Answered> => {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const typed = body === undefined ? headers : { 'content-type': 'application/json', ...headers }
  const signal = AbortSignal.timeout(answerMs)
  const response = await fetch(url + path, { method, headers: typed, ...sent, signal }).catch((cause: unknown) => {
    throw new Error(`nobody answers at ${new URL(url).origin}; is the nation running?`, { cause })
  })
  const answer = (await response.json()) as Record<string, unknown>
  if (response.ok) return { body: answer, headers: response.headers }
  throw new Refused(String(answer['code']), String(answer['detail'] ?? answer['title']), response.headers)
}
