import type { Requirement } from '../../kernel/requirement.ts'

/** Resolution involves no authentication (DID Resolution, Security Considerations). */
export const requires = { anyone: { by: 'anyone' } } as const satisfies Record<string, Requirement>
