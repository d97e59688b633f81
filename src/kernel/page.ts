import { hash } from 'node:crypto'
import type { Answer } from './plugin.ts'

const style = `:root { color-scheme: light dark; --line: #767676; --link: #0b57a4; --ink: #1b1b1b; --paper: #fff; }
body { font: 1.125rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
  max-width: 36rem; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; }
h2 { font-size: 1.125rem; margin-bottom: .25rem; }
a { color: var(--link); }
img { background: #fff; display: block; height: auto; max-width: 18rem; width: 100%; }
button, .button { background: var(--link); border: 2px solid var(--link); border-radius: .25rem; color: #fff;
  box-sizing: border-box; display: inline-block; font: inherit; margin: .5rem .5rem .5rem 0; min-height: 2.75rem; padding: .5rem 1.25rem;
  text-decoration: none; }
textarea { border: 1px solid var(--line); box-sizing: border-box; font: 1rem/1.5 monospace; width: 100%; }
button.second { background: transparent; color: var(--link); }
:focus-visible { outline: 3px solid #b35c00; outline-offset: 2px; }
form { margin: .5rem 0; }
summary { min-height: 1.75rem; }
.small { font-size: 1rem; }
.note { border-left: .25rem solid var(--line); padding-left: .75rem; }
@media (prefers-color-scheme: dark) { :root { --link: #1f6fc2; --ink: #eee; --paper: #161616; }
  a, button.second { color: #9cf; } }
`

const styleHash = `'sha256-${hash('sha256', style, 'base64')}'`

const policyOf = (formTarget?: string): string =>
  [
    ...["default-src 'none'", `style-src ${styleHash}`, 'img-src data:', "base-uri 'none'", "frame-ancestors 'none'"],
    `form-action 'self'${formTarget === undefined ? '' : ` ${formTarget}`}`,
  ].join('; ')

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
/** Text as it may stand in a page. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, each => entities[each] ?? '')

type PageParts = {
  /** Text; it is the page's title as well. */
  heading: string
  /** HTML. */
  body: string
  status?: number
  /** Where the page's form may lead. */
  formTarget?: string | undefined
  /** Loads the page again after so many seconds. */
  refreshSeconds?: number
  headers?: Record<string, string>
}

/** A page for people: plain, for small screens and screen readers too, without script and without anything from elsewhere. */
export const page = (parts: PageParts): Answer => {
  const { heading, body, status = 200, formTarget, refreshSeconds, headers } = parts
  const refresh = refreshSeconds === undefined ? '' : `<meta http-equiv="refresh" content="${refreshSeconds}">\n`
  return {
    status,
    contentType: 'text/html',
    headers: { 'content-security-policy': policyOf(formTarget), 'referrer-policy': 'no-referrer', ...headers },
    body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${refresh}<title>${escaped(heading)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escaped(heading)}</h1>
${body}
</main>
</body>
</html>
`,
  }
}
