// Implementations of others that come without types.
declare module '@digitalbazaar/*'
