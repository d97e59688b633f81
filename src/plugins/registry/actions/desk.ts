import { registerKind, registerUnknown } from '../errors.ts'
import type { RegistryNeeds } from '../needs.ts'
import type { Register } from '../soundness.ts'

/** What every action works with. */
export type Desk = RegistryNeeds & {
  /** @throws Refusal register_unknown */
  register(name: string | undefined): Register
  /** One whose entries are granted, amended and revoked as such. @throws Refusal register_unknown, register_kind */
  licences(name: string | undefined): Register
}

export const openDesk = (needs: RegistryNeeds): Desk => {
  const byName = new Map(needs.registers.map(register => [register.name, register]))
  const register = (name: string | undefined): Register => {
    const found = byName.get(name ?? '')
    if (found === undefined) throw registerUnknown()
    return found
  }
  const licences = (name: string | undefined): Register => {
    const found = register(name)
    if (found.kind !== 'licence') throw registerKind()
    return found
  }
  return { ...needs, register, licences }
}
