import type { Requirement } from '../../kernel/requirement.ts'

export const requires = {
  anyone: { by: 'anyone' },
  request: { by: 'staff', scope: 'certificates:request' },
} as const satisfies Record<string, Requirement>
