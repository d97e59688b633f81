import { Refusal } from '../../kernel/refusal.ts'
import { bbs2023 } from './bbs-2023.ts'
import { ecdsaJcs2019, ecdsaRdfc2019 } from './ecdsa.ts'
import { ecdsaSd2023 } from './ecdsa-sd-2023.ts'
import { ed25519Signature2020, eddsaJcs2022, eddsaRdfc2022 } from './eddsa.ts'
import type { Cryptosuite } from './suite.ts'

/** Every cryptosuite that is known here. */
export const suites: readonly Cryptosuite[] = [
  eddsaRdfc2022,
  eddsaJcs2022,
  ecdsaRdfc2019,
  ecdsaJcs2019,
  ecdsaSd2023,
  bbs2023,
  ed25519Signature2020,
]

const byName = new Map(suites.map(suite => [suite.name, suite]))

/** @throws Refusal rejected/cryptosuite_unknown */
export const suiteNamed = (name: string, type = 'DataIntegrityProof'): Cryptosuite => {
  const suite = byName.get(name)
  if (suite?.type === type) return suite
  throw new Refusal(
    'rejected',
    'cryptosuite_unknown',
    `Proofs are made and verified with ${[...byName.keys()].join(', ')}.`,
  )
}
