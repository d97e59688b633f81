import type { Body, Described, Field, Group } from './docs-describe.ts'

/** Text that is HTML already. Everything else that `html` is given, it escapes. */
type Html = { html: string }
type Part = string | Html | readonly Html[]

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

const written = (part: Part): string => {
  if (typeof part === 'string') return part.replace(/[&<>"']/g, sign => entities[sign] ?? '')
  return 'html' in part ? part.html : part.map(({ html }) => html).join('')
}

const html = (texts: TemplateStringsArray, ...parts: Part[]): Html => ({
  html: String.raw({ raw: texts }, ...parts.map(written)),
})

const nothing = html``

const paragraph = (text: string): Html => (text === '' ? nothing : html`<p>${text}</p>`)

const fieldRow = ({ name, type, required, description }: Field): Html => html`<tr>
<td><code>${name}</code></td><td>${type}</td><td>${required ? 'required' : 'optional'}</td><td>${description}</td></tr>`

const fieldTable = (caption: string, fields: readonly Field[]): Html => html`<table class="fields">
<caption>${caption}</caption>
<thead><tr><th>Name</th><th>Type</th><th>Required</th><th>Description</th></tr></thead>
<tbody>${fields.map(fieldRow)}</tbody></table>`

const parameterTable = ({ parameters }: Described): Html => {
  if (parameters.length === 0) return nothing
  return fieldTable(
    'Parameters',
    parameters.map(({ place, ...field }) => ({ ...field, type: `${field.type}, in ${place}` })),
  )
}

const bodyTables = ({ contentType, forms }: Body): Html[] =>
  forms.map((form, index) => {
    const which = forms.length === 1 ? '' : `, form ${index + 1} of ${forms.length}`
    return fieldTable(`Body (${contentType}${which})`, form)
  })

const answerTable = ({ answers }: Described): Html => html`<table>
<caption>Answers</caption>
<thead><tr><th>Status</th><th>Meaning</th><th>Members</th></tr></thead>
<tbody>${answers.map(
  ({ status, description, members }) =>
    html`<tr><td><code>${status}</code></td><td>${description}</td><td><code>${members}</code></td></tr>`,
)}</tbody></table>`

const whoParagraph = ({ who, requirement }: Described): Html => {
  if (requirement === undefined) return html`<p>Who may call: ${who}</p>`
  return html`<p>Who may call: ${who} (<a href="${requirement}">what it requires</a>)</p>`
}

const walletNote = html`<p class="note">Send below knows a Bearer token only. The credentials that this asks for come from a
wallet: in a session (DPoP), or as a presentation made for this very body.</p>`

const bodyInput = ({ contentType, least, most }: Body): Html => html`<label>${contentType}
<textarea spellcheck="false" data-type="${contentType}">${least}</textarea></label>
<button type="button" data-fill="${least}">Required members</button>
<button type="button" data-fill="${most}">All members</button>`

const attempt = (operation: Described): Html => {
  const { parameters, body, wallet } = operation
  return html`<fieldset><legend>Try it</legend>${wallet ? walletNote : nothing}
${parameters.map(
  ({ name, place, required }) =>
    html`<label>${name} (${place}${required ? ', required' : ''})<input data-name="${name}" data-place="${place}"></label>`,
)}${body === undefined ? nothing : bodyInput(body)}
<button type="button" data-send>Send</button><pre hidden></pre></fieldset>`
}

const operationPart = (operation: Described): Html => {
  const { id, method, path, summary, description, who, body } = operation
  const words = `${id} ${method} ${path} ${summary}`.toLowerCase()
  return html`<details id="${id}" data-method="${method}" data-path="${path}" data-words="${words}">
<summary><span class="method">${method}</span><span class="what"><code class="path">${path}</code>
<code class="id">${id}</code><span class="text">${summary}</span></span><span class="who">${who}</span></summary>
${paragraph(summary)}${paragraph(description)}${whoParagraph(operation)}${parameterTable(operation)}
${body === undefined ? nothing : bodyTables(body)}${answerTable(operation)}${attempt(operation)}</details>
`
}

const groupPart = ({ name, description, operations }: Group): Html => html`<section>
<h2 id="tag-${name}">${name} <span class="count">${String(operations.length)}</span></h2>
${paragraph(description)}${operations.map(operationPart)}</section>
`

const contents = (groups: readonly Group[]): Html[] =>
  groups.map(
    ({ name, operations }) =>
      html`<a href="#tag-${name}">${name} <span class="count">${String(operations.length)}</span></a> `,
  )

/** The page, which reads without its script; the script filters and sends. */
export const docsPage = (title: string, groups: readonly Group[]): string => {
  const count = String(groups.reduce((sum, { operations }) => sum + operations.length, 0))
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}: API</title>
<link rel="stylesheet" href="docs/page.css">
<script type="module" src="docs/page.js"></script>
</head>
<body>
<header>
<h1>${title}</h1>
<p><output id="count">${count}</output> operations, also as <a href="openapi.json">openapi.json</a></p>
<nav>${contents(groups)}</nav>
<label>Find <input id="find" type="search" placeholder="operationId, path or words" autocomplete="off"></label>
<label>Key or token <input id="token" type="password" autocomplete="off" spellcheck="false"></label>
<p class="note">A key, an OIDC token or a citizen’s session goes out as Bearer and stays in this page’s memory. Sessions for
credentials (DPoP) and presentations are made by a wallet; this page cannot make them.</p>
</header>
<main>
${groups.map(groupPart)}</main>
</body>
</html>
`.html
}
