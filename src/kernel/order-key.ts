/** What names an order: its maker, and the number that the maker gave it. */
export type OrderName = { authority: string; reference: string }

/**
 * One spelling of what people write in several: compatibility forms, case (ß as ss, by way of the capitals), white
 * space, and characters that are not seen.
 */
const folded = (text: string): string =>
  text
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase()
    .toUpperCase()
    .normalize('NFKC')
    .replace(/\s+/gu, ' ')
    .trim()

/** What an order is compared by; as it was written it stands in the history. */
export const orderKey = ({ authority, reference }: OrderName): OrderName => ({
  authority: folded(authority),
  reference: folded(reference),
})

export const sameOrder = (a: OrderName, b: OrderName): boolean => {
  const [one, other] = [orderKey(a), orderKey(b)]
  return one.authority === other.authority && one.reference === other.reference
}
