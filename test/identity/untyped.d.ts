// Implementations of others that tests hold ours against, and that come without types.
declare module '@digitalbazaar/*'
declare module 'rdf-canonize'
declare module 'jsonld-signatures'
declare module 'jsonld'
