import type { OrderName } from '../../kernel/order-key.ts'

/** An order of a court or an authority, as an officer hands it in. */
export type OrderInput = OrderName & { madeOn: string; documentSha256: string }
