export type Spun = {
  perSecond: number
  /** CPU time of the process a piece, all threads; and that of its main thread. Other load of the machine is not in it. */
  cpuMicros: number
  mainMicros: number
}

const sum = ({ user, system }: NodeJS.CpuUsage): number => user + system

/** Keeps `inFlight` pieces of work under way, warms up, then counts what ends within the time. */
export const spin = async (
  work: (piece: number) => Promise<void>,
  { seconds, warmSeconds, inFlight }: { seconds: number; warmSeconds: number; inFlight: number },
): Promise<Spun> => {
  let piece = 0
  let done = 0
  const opens = performance.now() + warmSeconds * 1_000
  const closes = opens + seconds * 1_000
  let first = 0
  let cpu: NodeJS.CpuUsage | undefined
  let main: NodeJS.CpuUsage | undefined
  let last = 0
  const lane = async (): Promise<void> => {
    for (;;) {
      await work(piece++)
      const now = performance.now()
      if (now >= closes) return
      if (now < opens) continue
      if (first === 0) {
        first = now
        cpu = process.cpuUsage()
        main = process.threadCpuUsage()
      } else done += 1
      last = now
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  if (done === 0) throw new Error('not one piece of work ended within the time')
  return {
    perSecond: done / ((last - first) / 1_000),
    cpuMicros: sum(process.cpuUsage(cpu)) / done,
    mainMicros: sum(process.threadCpuUsage(main)) / done,
  }
}
