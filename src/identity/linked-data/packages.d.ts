/** Packages that publish contexts: each a map from URL to document. */
declare module '@digitalbazaar/citizenship-context' {
  export const contexts: ReadonlyMap<string, object>
}
declare module '@digitalbazaar/credentials-context' {
  export const contexts: ReadonlyMap<string, object>
}
declare module '@digitalbazaar/vc-bitstring-status-list-context' {
  export const contexts: ReadonlyMap<string, object>
}
declare module '@digitalbazaar/vdl-context' {
  export const contexts: ReadonlyMap<string, object>
}
declare module '@digitalbazaar/data-integrity-context' {
  const published: { contexts: ReadonlyMap<string, object> }
  export default published
}
declare module '@digitalbazaar/multikey-context' {
  const published: { contexts: ReadonlyMap<string, object> }
  export default published
}
declare module '@digitalbazaar/security-context' {
  const published: { contexts: ReadonlyMap<string, object> }
  export default published
}
declare module 'did-context' {
  const published: { contexts: ReadonlyMap<string, object> }
  export default published
}
declare module 'ed25519-signature-2020-context' {
  const published: { contexts: ReadonlyMap<string, object> }
  export default published
}
declare module 'x25519-key-agreement-2020-context' {
  const published: { contexts: ReadonlyMap<string, object> }
  export default published
}
