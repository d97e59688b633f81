import type { Group } from '../harness.ts'
import { openGateFigures } from '../registry/gate.ts'
import { openRegisterFigures } from '../registry/register.ts'

/** The gate and the registry; each part brings its own ground. */
const parts = [openGateFigures, openRegisterFigures]

export const group: Group = {
  name: 'registry',
  open(options) {
    const opened = parts.map(open => open(options))
    return {
      figures: opened.flatMap(({ figures }) => figures),
      async close() {
        for (const { close } of opened) await close()
      },
    }
  },
}
