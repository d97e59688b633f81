import { isRefusal, Refusal } from '../kernel/refusal.ts'

export const chainUnavailable = (cause: unknown): Refusal =>
  new Refusal('unavailable', 'chain_unavailable', 'The chain does not answer; try again later.', { cause })

/** Asks the chain. @throws Refusal chain_unavailable, or as it was refused */
export const askingChain = async <Output>(ask: () => Promise<Output>): Promise<Output> => {
  try {
    return await ask()
  } catch (error) {
    throw isRefusal(error) ? error : chainUnavailable(error)
  }
}
