import { escaped, page } from '../../../kernel/page.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Desk } from './prove.ts'

const bodyOf = (words: string, response: string): string => `<p>${words}</p>
<p><label for="response">Give this to your wallet to go on:</label></p>
<textarea id="response" rows="6" readonly>${escaped(response)}</textarea>
<p class="small">It is of use to your wallet alone, once, and for a short time. You can close this page afterwards.</p>`

/**
 * Where an issuer's page sends the browser back to. Nothing is kept or judged here: the answer goes to the wallet of the
 * citizen who began, which alone knows whether it is the right one.
 */
export const showAuthorizationResponse = async (_desk: Desk, { query }: Context): Promise<Answer> => {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const response = new URLSearchParams(given).toString()
  const words =
    query['error'] === undefined
      ? 'The issuer has agreed, and sends your wallet this answer.'
      : 'The issuer has not agreed. Your wallet can tell you why.'
  const headers = { 'cache-control': 'no-store' }
  return page({ heading: 'Back to your wallet', body: bodyOf(words, response), headers })
}
