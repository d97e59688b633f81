/*
 * The interactive page of the API, in three files without anything from elsewhere, so that its content security policy
 * can allow nothing but itself. The page reads openapi.json of its own agency, lists the operations and sends requests.
 * What a visitor types as key or token stays in the page's memory.
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

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<link rel="stylesheet" href="docs/page.css">
<script type="module" src="docs/page.js"></script>
</head>
<body>
<header>
<h1 id="title">API</h1>
<p><a href="openapi.json">openapi.json</a></p>
<label>Key, session or token <input id="token" type="password" autocomplete="off" spellcheck="false"></label>
<label>Find <input id="find" type="search"></label>
</header>
<main id="operations"><p>Reading openapi.json …</p></main>
</body>
</html>
`

const style = `body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; color: #1b1b1b; background: #fff; }
header { border-bottom: 1px solid #999; margin-bottom: 1rem; padding-bottom: 1rem; }
label { display: block; margin: .5rem 0; }
input, textarea, select { font: 14px ui-monospace, monospace; width: 100%; box-sizing: border-box; padding: .4rem; }
textarea { min-height: 8rem; }
details { border: 1px solid #bbb; border-radius: 4px; margin: .4rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; }
summary code { font-weight: 600; }
.method { display: inline-block; min-width: 4.5rem; font: 600 14px ui-monospace, monospace; }
button { font: inherit; padding: .3rem 1.2rem; margin: .5rem 0; }
pre { background: #f3f3f3; overflow: auto; max-height: 30rem; padding: .6rem; white-space: pre-wrap; word-break: break-word; }
@media (prefers-color-scheme: dark) { body { color: #eee; background: #161616; } pre { background: #262626; } a { color: #9cf; } }
`

const script = `const base = new URL('.', location.href)
const byId = id => document.getElementById(id)
const make = (name, members = {}, ...children) => {
  const element = Object.assign(document.createElement(name), members)
  element.append(...children)
  return element
}
const follow = (doc, value) => {
  for (let hops = 0; value && typeof value.$ref === 'string' && hops < 8; hops++) {
    value = value.$ref.slice(2).split('/').reduce((place, part) => place?.[part.replaceAll('~1', '/').replaceAll('~0', '~')], doc)
  }
  return value ?? {}
}
const sample = (doc, schema, depth = 0) => {
  const found = follow(doc, schema)
  if (found.example !== undefined) return found.example
  if (Array.isArray(found.examples)) return found.examples[0]
  if (found.const !== undefined) return found.const
  if (found.enum) return found.enum[0]
  const choice = found.oneOf ?? found.anyOf
  if (choice) return sample(doc, choice[0], depth + 1)
  const type = Array.isArray(found.type) ? found.type[0] : found.type
  if (depth > 6) return null
  if (found.properties || type === 'object') {
    const names = found.required ?? Object.keys(found.properties ?? {})
    return Object.fromEntries(names.map(name => [name, sample(doc, found.properties?.[name], depth + 1)]))
  }
  if (type === 'array') return [sample(doc, found.items, depth + 1)]
  return { string: '', integer: 0, number: 0, boolean: false }[type] ?? null
}
const shown = async response => {
  const text = await response.text()
  const head = response.status + ' ' + response.statusText + '\\n' + (response.headers.get('content-type') ?? '') + '\\n\\n'
  try { return head + JSON.stringify(JSON.parse(text), null, 2) } catch { return head + text }
}
const sender = (method, path, fields, type, body, output) => async () => {
  output.textContent = '…'
  let target = path
  const query = new URLSearchParams()
  const headers = {}
  for (const { name, place, input } of fields) {
    if (place === 'path') target = target.replace('{' + name + '}', encodeURIComponent(input.value))
    else if (input.value !== '' && place === 'query') query.set(name, input.value)
    else if (input.value !== '') headers[name] = input.value
  }
  const token = byId('token').value.trim()
  if (token !== '') headers.authorization = 'Bearer ' + token
  if (body) headers['content-type'] = type
  const search = query.size > 0 ? '?' + query : ''
  try {
    const request = { method, headers, ...(body ? { body: body.value } : {}) }
    output.textContent = await shown(await fetch(new URL(target.slice(1) + search, base), request))
  } catch (error) { output.textContent = String(error) }
}
const operationOf = (doc, method, path, item, operation) => {
  const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(entry => follow(doc, entry))
  const fields = parameters.map(({ name, in: place }) => ({ name, place, input: make('input') }))
  const [type, media] = Object.entries(follow(doc, operation.requestBody).content ?? {})[0] ?? []
  const body = type ? make('textarea', { spellcheck: false }) : undefined
  if (body) body.value = JSON.stringify(media.example ?? sample(doc, media.schema), null, type.includes('ndjson') ? 0 : 2)
  const output = make('pre')
  const button = make('button', { type: 'button', textContent: 'Send' })
  button.addEventListener('click', sender(method, path, fields, type, body, output))
  const labels = fields.map(({ name, place, input }) => make('label', {}, name + ' (' + place + ')', input))
  const answers = Object.entries(operation.responses ?? {}).map(([status, answer]) => status + '  ' + (follow(doc, answer).description ?? ''))
  const head = make('summary', {}, make('span', { className: 'method', textContent: method }), make('code', { textContent: path }), ' ' + (operation.summary ?? operation.operationId))
  return make('details', {}, head, make('p', { textContent: operation.description ?? '' }), make('pre', { textContent: answers.join('\\n') }), ...labels, ...(body ? [make('label', {}, type, body)] : []), button, output)
}
const doc = await (await fetch(new URL('openapi.json', base))).json()
byId('title').textContent = document.title = doc.info.title
const entries = Object.entries(doc.paths).flatMap(([path, item]) =>
  ['get', 'put', 'post', 'delete', 'patch'].filter(method => item[method]).map(method => ({
    words: (method + ' ' + path + ' ' + (item[method].summary ?? '') + ' ' + item[method].operationId).toLowerCase(),
    element: operationOf(doc, method.toUpperCase(), path, item, item[method]),
  })))
byId('operations').replaceChildren(...entries.map(entry => entry.element))
byId('find').addEventListener('input', event => {
  for (const { words, element } of entries) element.hidden = !words.includes(event.target.value.toLowerCase())
})
`

/** The files of the page by their path under the agency's mount. */
export const docsFiles: Record<string, { contentType: string; body: string }> = {
  '/docs': { contentType: 'text/html; charset=utf-8', body: page },
  '/docs/page.css': { contentType: 'text/css; charset=utf-8', body: style },
  '/docs/page.js': { contentType: 'text/javascript; charset=utf-8', body: script },
}
