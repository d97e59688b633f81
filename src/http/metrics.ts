import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = {
  /** One answered request. `operation` is an operationId or `unknown`, never a path, so that series stay few. */
  observe(operation: string, status: number, seconds: number): void
  /** Prometheus text. */
  text(): Promise<string>
  contentType: string
}

/** Metrics of the process itself: memory, event loop, garbage collection. Once a process. */
export const createProcessMetrics = (): Registry => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}

const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** @param gauges figures of the agency, read whenever someone asks: name (snake_case, unit last) → value. */
export const createMetrics = (processMetrics: Registry, gauges: () => Record<string, number>): Metrics => {
  const registry = new Registry()
  const registers = [registry]
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Answered requests by operation and status.',
    labelNames: ['operation', 'status'],
    registers,
  })
  const seconds = new Histogram({
    name: 'http_request_seconds',
    help: 'Time from the head of a request to its answer, by operation.',
    labelNames: ['operation'],
    buckets,
    registers,
  })
  const known = new Map<string, Gauge>()
  return {
    contentType: registry.contentType,
    observe(operation, status, took) {
      requests.inc({ operation, status })
      seconds.observe({ operation }, took)
    },
    async text() {
      for (const [name, value] of Object.entries(gauges())) {
        const gauge =
          known.get(name) ?? new Gauge({ name: `chancery_${name}`, help: `${name} of the agency.`, registers })
        known.set(name, gauge)
        gauge.set(value)
      }
      return `${await registry.metrics()}${await processMetrics.metrics()}`
    },
  }
}
