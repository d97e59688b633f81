import type { OpenApiDocument } from './contract.ts'
import { describeOperations } from './docs-describe.ts'
import { docsPage } from './docs-page.ts'

/*
 * The interactive page of the API, in three files without anything from elsewhere, so that its content security policy
 * can allow nothing but itself. What a visitor types as key or token stays in the page's memory.
 */

export const docsPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const style = `:root { color-scheme: light dark; --line: #bbb; --soft: #f3f3f3; --dim: #555; --link: #0b57a4; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1rem; overflow-wrap: anywhere;
  color: #1b1b1b; background: #fff; }
header { border-bottom: 1px solid var(--line); padding-bottom: 1rem; }
a { color: var(--link); }
h1, h2 { line-height: 1.2; margin: 1.5rem 0 .3rem; }
h1 { margin-top: 0; }
p { margin: .4rem 0; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: .6rem 0; }
label { display: block; margin: .5rem 0; }
input, textarea { font: 14px ui-monospace, monospace; width: 100%; box-sizing: border-box; padding: .4rem; }
textarea { min-height: 10rem; }
code { font-family: ui-monospace, monospace; font-size: .875em; }
[hidden] { display: none; }
details { border: 1px solid var(--line); border-radius: 4px; margin: .4rem 0; padding: .4rem .8rem; }
details[open] summary { border-bottom: 1px solid var(--line); margin-bottom: .6rem; padding-bottom: .4rem; }
summary { cursor: pointer; display: grid; grid-template-columns: 4rem minmax(0, 1fr) 14rem; gap: 0 .8rem; }
.method { font: 600 14px/1.7 ui-monospace, monospace; }
.path { font-weight: 600; margin-right: .8rem; }
.id { color: var(--link); }
.text { display: block; }
details[open] .text { display: none; }
.who, .count, .note, caption, th { color: var(--dim); }
.who, .note, table { font-size: .875rem; }
.count { font-weight: 400; }
table { border-collapse: collapse; width: 100%; margin: .8rem 0; }
caption { text-align: left; font-weight: 600; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .8rem .25rem 0; text-align: left; vertical-align: top; }
th { white-space: nowrap; }
td:first-child { min-width: 11rem; }
td:nth-child(2) { min-width: 7rem; }
td:nth-child(3) { min-width: 5rem; }
fieldset { border: 1px solid var(--line); border-radius: 4px; margin: .8rem 0; min-width: 0; }
button { font: inherit; padding: .3rem 1rem; margin: .3rem .4rem .3rem 0; }
pre { background: var(--soft); overflow: auto; max-height: 30rem; padding: .6rem; white-space: pre-wrap; }
@media (max-width: 45rem) {
  summary { grid-template-columns: 4rem minmax(0, 1fr); }
  .who { grid-column: 2; }
  thead { display: none; }
  table, caption, tbody, tr, td { display: block; }
  tr { border-bottom: 1px solid var(--line); padding: .3rem 0; }
  td, td:first-child, td:nth-child(2), td:nth-child(3) { border: 0; min-width: 0; padding: 0; }
  .fields td:nth-child(2), .fields td:nth-child(3) { display: inline; padding-right: .8rem; }
  td:empty { display: none; }
}
@media (prefers-color-scheme: dark) {
  :root { --line: #555; --soft: #262626; --dim: #aaa; --link: #9cf; }
  body { color: #eee; background: #161616; }
}
`

const script = `const base = new URL('.', location.href)
const token = document.getElementById('token')
const operations = [...document.querySelectorAll('details')]

const shown = async response => {
  const text = await response.text()
  const head = response.status + ' ' + response.statusText + '\\n' + (response.headers.get('content-type') ?? '') + '\\n\\n'
  try { return head + JSON.stringify(JSON.parse(text), null, 2) } catch { return head + text }
}
const requestOf = operation => {
  let path = operation.dataset.path
  const query = new URLSearchParams()
  const headers = {}
  for (const { value, dataset: { name, place } } of operation.querySelectorAll('input')) {
    if (place === 'path') path = path.replace('{' + name + '}', () => encodeURIComponent(value))
    else if (value !== '' && place === 'query') query.set(name, value)
    else if (value !== '') headers[name] = value
  }
  if (token.value.trim() !== '') headers.authorization = 'Bearer ' + token.value.trim()
  const body = operation.querySelector('textarea')
  if (body) headers['content-type'] = body.dataset.type
  const url = new URL(path.slice(1) + (query.size > 0 ? '?' + query : ''), base)
  return [url, { method: operation.dataset.method, headers, ...(body ? { body: body.value } : {}) }]
}
document.querySelector('main').addEventListener('click', async ({ target }) => {
  const operation = target.closest('details')
  if (target.dataset.fill !== undefined) operation.querySelector('textarea').value = target.dataset.fill
  if (target.dataset.send === undefined) return
  const output = operation.querySelector('pre')
  output.hidden = false
  output.textContent = '…'
  try { output.textContent = await shown(await fetch(...requestOf(operation))) } catch (error) { output.textContent = String(error) }
})
const filter = () => {
  const words = document.getElementById('find').value.toLowerCase().split(/\\s+/)
  for (const operation of operations) operation.hidden = !words.every(word => operation.dataset.words.includes(word))
  for (const section of document.querySelectorAll('section')) {
    const found = section.querySelectorAll('details:not([hidden])').length
    section.hidden = found === 0
    section.querySelector('.count').textContent = found
  }
  document.getElementById('count').textContent = operations.filter(operation => !operation.hidden).length
}
document.getElementById('find').addEventListener('input', filter)
filter()
const openNamed = () => {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  if (named?.localName !== 'details') return
  named.open = true
  named.scrollIntoView()
}
addEventListener('hashchange', openNamed)
openNamed()
`

export type DocsFile = { contentType: string; body: string }

/** What the page loads, by its path under the agency's mount. */
export const docsFiles: Record<string, DocsFile> = {
  '/docs/page.css': { contentType: 'text/css; charset=utf-8', body: style },
  '/docs/page.js': { contentType: 'text/javascript; charset=utf-8', body: script },
}

/** The page itself, for an agency's own view of openapi.yaml. */
export const docsOf = (title: string, view: OpenApiDocument): DocsFile => ({
  contentType: 'text/html; charset=utf-8',
  body: docsPage(title, describeOperations(view)),
})
