import { escaped, page } from '../../../kernel/page.ts'
import type { Answer } from '../../../kernel/plugin.ts'
import { destinationOf, formTargetOf } from './redirect.ts'

/** What is given to whom: said on every page before the code is given. */
export type Told = {
  institution: string
  clientId: string
  clientName: string | undefined
  redirectUri: string
  vouched: boolean
  credentials: readonly { name: string; claims: readonly string[] }[]
}

const credentialList = ({ credentials }: Told): string =>
  `<ul>${credentials
    .map(({ name, claims }) => {
      const said = claims.filter(claim => claim !== '').map(escaped)
      const details = `<details><summary>What it can say about you</summary>${said.join(', ')}</details>`
      return `<li><strong>${escaped(name)}</strong>${said.length === 0 ? '' : details}</li>`
    })
    .join('\n')}</ul>`

const walletText = ({ clientId, clientName, redirectUri, vouched }: Told): string => {
  const name = clientName === undefined ? '' : `<strong>${escaped(clientName)}</strong>, `
  const wallet = `${name}<strong>${escaped(destinationOf(redirectUri))}</strong>`
  const warning = vouched
    ? ''
    : '<p class="note">Nobody vouches for this wallet here. Go on only if you began this in a wallet that you trust.</p>'
  return `<p>It goes to the wallet ${wallet} (it calls itself <code>${escaped(clientId.slice(0, 200))}</code>).</p>${warning}`
}

const what = (told: Told): string =>
  `<p>${escaped(told.institution)} has this ready for you:</p>\n${credentialList(told)}\n${walletText(told)}`

/** Where the citizen's word goes, and what shows that it is theirs. */
export type Form = { action: string; requestUri: string; token: string }

const formOf = ({ action, requestUri, token }: Form, buttons: string): string =>
  `<form method="post" action="${escaped(action)}">
<input type="hidden" name="request_uri" value="${escaped(requestUri)}">
<input type="hidden" name="token" value="${escaped(token)}">
${buttons}
</form>`

const cancel = '<button class="second" name="decision" value="deny">Cancel</button>'

/** Asks for the citizen's word. */
export const consentPage = (told: Told, form: Form, headers: Record<string, string>): Answer =>
  page({
    heading: 'Collect this with your wallet?',
    formTarget: formTargetOf(told.redirectUri),
    headers,
    body: `${what(told)}
${formOf(form, `<button name="decision" value="allow">Give it to my wallet</button>\n${cancel}`)}
<p class="small">If you cancel, nothing is given. You can begin again in your wallet for as long as this is ready for you.</p>`,
  })

const failedNote = '<p class="note" role="alert">That did not say that this is yours. You can try once more.</p>\n'

const noWalletHere = `<p>Your wallet brings you back here. Is it on another device? Then begin again there: open the offer with that
wallet, on that device.</p>`

/** For where the agency's file allows a wallet on another device. */
const otherDevice = (qr: string, again: string): string => `<h2>Or with a wallet on another device</h2>
<p class="note"><strong>Scan this code only if you opened this page yourself.</strong> Whoever sent you a picture of it collects
in your name what is yours.</p>
<img alt="QR code that opens the request in a wallet" src="data:image/svg+xml;base64,${Buffer.from(qr).toString('base64')}">
<p>This page goes on by itself when your wallet has answered. <a href="${escaped(again)}">Look now</a></p>`

/** What is asked of the citizen. `qr` is for a wallet on another device, where that is allowed. */
type Question = {
  credential: string
  claims: readonly string[]
  walletUrl: string
  qr: string | undefined
  failed: boolean
}

/** Asks who the citizen is, by what their wallet holds. Nothing but an answer from another device needs the page to look by itself. */
export const identifyPage = (
  told: Told,
  asked: Question,
  at: { again: string; refreshSeconds: number; form: Form; headers: Record<string, string> },
): Answer =>
  page({
    heading: 'Show who you are',
    ...(asked.qr === undefined ? {} : { refreshSeconds: at.refreshSeconds }),
    formTarget: formTargetOf(told.redirectUri),
    headers: at.headers,
    body: `${asked.failed ? failedNote : ''}${what(told)}
<h2>First show who you are</h2>
<p>Show your <strong>${escaped(asked.credential)}</strong>.
Only this is read from it: ${asked.claims.map(escaped).join(', ')}.</p>
<p><a class="button" href="${escaped(asked.walletUrl)}">Open my wallet on this device</a></p>
${asked.qr === undefined ? noWalletHere : otherDevice(asked.qr, at.again)}
${formOf(at.form, cancel)}`,
  })

/** Says that it is over, one way or the other; what to do stands in the sentence. */
export const messagePage = (
  parts: { heading: string; sentence: string; status: number; back?: string | undefined },
  headers: Record<string, string> = {},
): Answer => {
  const { heading, sentence, status, back } = parts
  const link = back === undefined ? '' : `\n<p><a class="button" href="${escaped(back)}">Back to the wallet</a></p>`
  return page({ heading, status, headers, body: `<p>${escaped(sentence)}</p>${link}` })
}
