import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Desk } from './prove.ts'

const escaped = (text: string): string => text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)

const page = (words: string, response: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Back to your wallet</title>
</head>
<body>
<main>
<h1>Back to your wallet</h1>
<p>${words}</p>
<p><label for="response">Give this to your wallet to go on:</label></p>
<p><textarea id="response" rows="6" cols="60" readonly>${escaped(response)}</textarea></p>
<p>It is of use to your wallet alone, once, and for a short time. You can close this page afterwards.</p>
</main>
</body>
</html>
`

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
  return {
    status: 200,
    body: page(words, response),
    contentType: 'text/html; charset=utf-8',
    headers: { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' },
  }
}
